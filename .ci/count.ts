/** Prints the closing line of CI from Vitest's JSON reports; fails when tests were skipped that CI is there to run. */
import { readFile } from 'node:fs/promises';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
}

/** Tests that were also run in another one are not counted again: `repeats:FILE`. */
const REPEATS = 'repeats:';
const files = process.argv.slice(2);
const reports = await Promise.all(
  files.map(async (file) => JSON.parse(await readFile(file.replace(REPEATS, ''), 'utf8')) as Report),
);
const counted = reports.filter((_, i) => !files[i]?.startsWith(REPEATS));
const sum = (of: (report: Report) => number, among = counted): number =>
  among.reduce((all, report) => all + of(report), 0);
const skipped = sum((report) => report.numPendingTests + report.numTodoTests, reports);
if (skipped > 0) {
  process.stderr.write(`${skipped} tests were skipped; here all of them must run\n`);
  process.exitCode = 1;
}
const [passed, failed] = [sum((report) => report.numPassedTests), sum((report) => report.numFailedTests)];
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
