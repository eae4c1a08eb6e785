/** Whether output is to have colours. PURE. */

/**
 * On a terminal that knows them, unless the environment has `NO_COLOR`.
 * Source: no-color.org; empty it counts as absent.
 */
export function mayHaveColours(
  { isTTY }: { readonly isTTY?: boolean | undefined },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  return isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
}
