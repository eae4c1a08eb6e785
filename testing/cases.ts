/** Whether tests that repeat over seeds or random cases run all of them (`ALL_CASES=1`, as CI does), or the first few. */
export function allCases(): boolean {
  return process.env.ALL_CASES !== undefined;
}
