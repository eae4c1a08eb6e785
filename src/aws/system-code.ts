/** Whose an error's `code` is: the system's, or that of an answer. PURE. */

/** Whether the SDK has read an error off an answer: then its properties, `code` too, may be what the answer says. */
export function isReadError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && '$fault' in error;
}

/** The code that the system, Node or undici gave an error; undefined where it has none, or was read off an answer. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || isReadError(error)) return undefined;
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' ? code : undefined;
}
