/**
 * Whether tests that repeat over seeds, random cases, programs or a long table run all of them (`ALL_CASES=1`, as CI does), or a
 * few.
 */
export function allCases(): boolean {
  return process.env.ALL_CASES !== undefined;
}
