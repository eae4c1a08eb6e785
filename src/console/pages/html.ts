/**
 * HTML that escapes all values put into it, and makes invisible characters visible: every page and fragment is made with
 * it. PURE.
 */
import { html as escaping, isSafeHtml, type SafeHtml } from '@remix-run/html-template';
import { printable, printableLines } from '../../text/printable.ts';

/** HTML that is safe to send. `String(html)` gives its text. */
export type Html = SafeHtml;
type Part = Html | string | number | false | null | undefined | readonly Part[];

/** Texts are escaped, and control and invisible characters in them become visible escapes; `false` adds nothing. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return escaping(strings, ...parts.map(seen));
}

/** A text that keeps its line breaks: for `<pre>`. */
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
