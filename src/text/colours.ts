/** Whether output is to have colours. PURE. */

/**
 * On a terminal that knows them, unless the environment has `NO_COLOR`; everywhere where it has `FORCE_COLOR`.
 * Source: no-color.org, force-color.org; empty they count as absent. `FORCE_COLOR=0` is none, as Node has it.
 */
export function mayHaveColours(
  { isTTY }: { readonly isTTY?: boolean | undefined },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  if (env.FORCE_COLOR) return !['0', 'false'].includes(env.FORCE_COLOR);
  return isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
}
