/** Prints the closing line of CI from Vitest's JSON reports; fails when tests were skipped that CI is there to run. */
import { readFile } from 'node:fs/promises';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
}

const reports = await Promise.all(
  process.argv.slice(2).map(async (file) => JSON.parse(await readFile(file, 'utf8')) as Report),
);
const sum = (of: (report: Report) => number): number => reports.reduce((all, report) => all + of(report), 0);
const skipped = sum((report) => report.numPendingTests + report.numTodoTests);
if (skipped > 0) {
  process.stderr.write(`${skipped} tests were skipped; here all of them must run\n`);
  process.exitCode = 1;
}
const [passed, failed] = [sum((report) => report.numPassedTests), sum((report) => report.numFailedTests)];
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
