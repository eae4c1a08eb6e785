/** Prints the closing line of CI from Vitest's JSON report; fails when tests were skipped that CI is there to run. */
import { readFile } from 'node:fs/promises';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
}

const [file = ''] = process.argv.slice(2);
const report = JSON.parse(await readFile(file, 'utf8')) as Report;
const skipped = report.numPendingTests + report.numTodoTests;
if (skipped > 0) {
  process.stderr.write(`${skipped} tests were skipped; here all of them must run\n`);
  process.exitCode = 1;
}
process.stdout.write(
  `${report.numPassedTests} passed, ${report.numFailedTests} failed, ${skipped} skipped\n`,
);
