/** A path of this console that is safe in a link or a redirect: a browser cannot take it for another host. PURE. */
export function ownPath(text: string): string | undefined {
  return /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,1000}$/.test(text) ? text : undefined;
}
