/**
 * HTML that escapes whatever is put into it, and shows what cannot be seen: every page and fragment is made with it. PURE.
 */
import { html as escaping, isSafeHtml, type SafeHtml } from '@remix-run/html-template';
import { printable, printableLines } from '../../text/printable.ts';

/** HTML that may be sent. `String(html)` is its text. */
export type Html = SafeHtml;
type Part = Html | string | number | false | null | undefined | readonly Part[];

/** Texts are escaped, and controls and invisible characters in them written as escapes; nothing is put in for `false`. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return escaping(strings, ...parts.map(seen));
}

/** A text whose lines stay lines: for `<pre>`. */
export function lines(text: string): Html {
  return escaping`${printableLines(text)}`;
}

type Given = Html | string | number | null | undefined | Given[];

function seen(part: Part): Given {
  if (part === false) return undefined;
  if (typeof part === 'string') return printable(part);
  if (part === null || part === undefined || typeof part === 'number') return part;
  return isSafeHtml(part) ? part : (part as readonly Part[]).map(seen);
}
