/** Whether output has colours. PURE. */

/**
 * On a terminal that supports them, unless the environment has `NO_COLOR`; everywhere if it has `FORCE_COLOR`.
 * Source: no-color.org, force-color.org; empty variables count as absent. `FORCE_COLOR=0` means no colours, as
 * in Node.
 */
export function mayHaveColours(
  { isTTY }: { readonly isTTY?: boolean | undefined },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  if (env.FORCE_COLOR) return !['0', 'false'].includes(env.FORCE_COLOR);
  return isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
}
