/** Recognizes by a file's first bytes that it is not text, and says what to do about it. PURE. */
import { wideLabel } from './text.ts';

const AS_CSV =
  'Open it in the spreadsheet program and save it as CSV (in Excel: File, Save As, "CSV UTF-8 (Comma delimited)"), then give that file';

interface Kind {
  readonly begins: string;
  /** What a file with this beginning is. */
  readonly is: (bytes: string) => string;
}

/** Signatures and texts are compared byte by byte, as ISO 8859-1. */
const kinds: readonly Kind[] = [
  { begins: 'PK\x03\x04', is: ofZip },
  { begins: '\xd0\xcf\x11\xe0', is: () => `is an Excel workbook (.xls), not CSV. ${AS_CSV}` },
  { begins: '\x1f\x8b', is: () => 'is compressed (gzip). Unpack it first, as with gunzip' },
  { begins: '(\xb5/\xfd', is: () => 'is compressed (zstd). Unpack it first, as with unzstd' },
  { begins: '%PDF-', is: () => 'is a PDF document, not CSV' },
  { begins: 'PAR1', is: () => 'is a Parquet file. Export it as CSV or JSON Lines' },
];

function ofZip(bytes: string): string {
  if (bytes.includes('xl/')) return `is an Excel workbook (.xlsx), not CSV. ${AS_CSV}`;
  if (bytes.includes('opendocument.spreadsheet'))
    return `is a LibreOffice spreadsheet (.ods), not CSV. ${AS_CSV}`;
  if (bytes.includes('Index/Document.iwa'))
    return `is a Numbers spreadsheet, not CSV. Export it as CSV, then give that file`;
  return 'is a ZIP archive. Unpack it, and give the CSV or JSON file in it';
}

const MARKUP = /^\s*<(?:!doctype|html|table|\?xml|workbook)/i;

/**
 * @param bytes the first bytes of the file.
 * @returns a clause without its full stop that says what the file is, if it cannot be read.
 */
export function foreignContent(bytes: Buffer): string | undefined {
  const text = bytes.toString('latin1');
  const kind = kinds.find(({ begins }) => text.startsWith(begins));
  if (kind !== undefined) return kind.is(text);
  if (MARKUP.test(text)) return `is a web page or XML, not CSV. ${AS_CSV}`;
  const binary = whyBinary(bytes);
  return binary === undefined ? undefined : `is a binary file (it ${binary}), neither CSV nor JSON`;
}

/** Text contains no NUL in its encoding, and begins with no control character except white space. */
function whyBinary(bytes: Buffer): string | undefined {
  const wide = wideLabel(bytes);
  const text = wide === undefined ? bytes.toString('latin1') : new TextDecoder(wide).decode(bytes);
  if (text.includes('\0')) return 'holds NUL bytes';
  const begin = text.charAt(0);
  return begin < ' ' && begin.trim() !== '' ? 'begins with a control character' : undefined;
}
