/** URLs for a person or a log. PURE. */
import { printable } from './printable.ts';

/** A URL without parts that may be secret: user, password, query and fragment. */
export function printableUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || url.host === '') return 'an address that is not a URL';
  const { protocol, host, pathname } = url;
  return printable(`${protocol}//${host}${pathname === '/' ? '' : pathname}`);
}
