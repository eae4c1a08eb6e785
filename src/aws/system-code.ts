/** Where an error's `code` comes from: the system, or an answer. PURE. */

/** Whether the SDK has read the error from an answer. Its properties, including `code`, may then be the answer's. */
export function isReadError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && '$fault' in error;
}

/**
 * The code that the system, Node or undici gave an error; undefined if none, or if the error was read from an answer.
 */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || isReadError(error)) return undefined;
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' ? code : undefined;
}
