import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { foreignContent } from '../../src/input/content.ts';

/** The beginning of a ZIP archive with empty entries of these names. */
function zip(...names: string[]): Buffer {
  const entries = names.map((name) => {
    const header = Buffer.alloc(30);
    header.write('PK\x03\x04', 'latin1');
    header.writeUInt16LE(name.length, 26);
    return Buffer.concat([header, Buffer.from(name)]);
  });
  return Buffer.concat(entries);
}

describe('foreignContent', () => {
  test.each<[string, Buffer, RegExp]>([
    [
      'an .xlsx',
      zip('[Content_Types].xml', '_rels/.rels', 'xl/workbook.xml'),
      /Excel workbook \(\.xlsx\).*"CSV UTF-8/,
    ],
    ['an .xls', Buffer.from('d0cf11e0a1b11ae1', 'hex'), /Excel workbook \(\.xls\).*Save As/],
    [
      'an .ods',
      Buffer.concat([zip('mimetype'), Buffer.from('application/vnd.oasis.opendocument.spreadsheet')]),
      /\.ods/,
    ],
    ['a Numbers file', zip('Index/Document.iwa'), /Numbers/],
    ['another ZIP archive', zip('updates.csv'), /^is a ZIP archive\. Unpack it/],
    ['gzip', gzipSync('Identifier\n'), /gzip.*gunzip/],
    ['a PDF', Buffer.from('%PDF-1.7\n'), /PDF/],
    ['a web page', Buffer.from('\n<!DOCTYPE html><html>'), /web page/],
    ["Excel's XML", Buffer.from('<?xml version="1.0"?><Workbook>'), /XML/],
    ['a program', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]), /^is a binary file/],
    ['zeros', Buffer.alloc(64), /^is a binary file/],
    ['bytes beside a NUL that begin no text', Buffer.from('0001022c00', 'hex'), /^is a binary file/],
    ['the same, turned round', Buffer.from('01002c0200', 'hex'), /^is a binary file/],
    ['numbers of four bytes', Buffer.from('4900000041000000', 'hex'), /^is a binary file/],
    ['numbers of four bytes, big-endian', Buffer.from('0041004900000041', 'hex'), /^is a binary file/],
    ['UTF-32', Buffer.from('fffe000049000000', 'hex'), /^is a binary file/],
    ['a NUL in UTF-16', Buffer.from('\uFEFFId\0\n', 'utf16le'), /^is a binary file/],
    ['a NUL in UTF-8', Buffer.from('Identifier\n\0'), /^is a binary file/],
    ['control characters', Buffer.from([1, 2, 0x2c, 3]), /^is a binary file/],
    ['a control character in UTF-16', Buffer.from('\uFEFF\x01Id', 'utf16le'), /^is a binary file/],
  ])('knows %s', (_what, bytes, said) => {
    expect(foreignContent(bytes)).toMatch(said);
  });

  test.each([
    ['CSV', Buffer.from('Identifier,Description\n')],
    ['UTF-16', Buffer.from('Identifier\n', 'utf16le')],
    ['UTF-16 with a byte order mark', Buffer.from('\uFEFFIdentifier\n', 'utf16le')],
    ['UTF-16, big-endian', Buffer.from('Identifier\n', 'utf16le').swap16()],
    ['UTF-16 beyond Latin', Buffer.from('\uFEFFИмя,Ăȥ\n', 'utf16le')],
    ['UTF-16 that begins with the end of a line', Buffer.from('\r\nIdentifier\n', 'utf16le')],
    ['a control character in a row', Buffer.from('Identifier\na\x01\n\x1a')],
    ['Windows-1252', Buffer.from('Größe\n', 'latin1')],
    ['nothing', Buffer.alloc(0)],
  ])('lets %s pass', (_what, bytes) => {
    expect(foreignContent(bytes)).toBeUndefined();
  });
});
