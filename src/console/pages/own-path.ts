/** A path of this console as a link or a redirect may name it: nothing that a browser takes for another host. PURE. */
export function ownPath(text: string): string | undefined {
  return /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,1000}$/.test(text) ? text : undefined;
}
