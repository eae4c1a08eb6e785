/**
 * Proves the console under load: each page with a ledger of a million rows; what 200 viewers of live pages cost, and that nothing
 * waits for clients that do not read; a redrive that continues after a kill (testing/proof/prove-console-*.ts).
 *
 *   npm run prove-console -- --rows 1000000 --viewers 200 --slow 50 --seconds 300 --alone-seconds 60 [--only pages,viewers,kill]
 */
import { parseArgs } from 'node:util';
import { proveKill } from '../testing/proof/prove-console-kill.ts';
import { provePages } from '../testing/proof/prove-console-pages.ts';
import { proveViewers } from '../testing/proof/prove-console-viewers.ts';

/** In milliseconds, at the 95th percentile. */
const MOST_MS = 300;
const FIRST_PAGE_MS = 200;
/** Minimum of the worker's rate with viewers, as a share of its rate without. */
const LEAST_SHARE = 0.97;
/** A look comes every 5 s or sooner. */
const MOST_GAP_SECONDS = 10;

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    viewers: { type: 'string', default: '200' },
    slow: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '300' },
    'alone-seconds': { type: 'string', default: '60' },
    rate: { type: 'string', default: '100' },
    only: { type: 'string', default: 'pages,viewers,kill' },
  },
});
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const parts = new Set(values.only.split(','));
const faults: string[] = [];
const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): void => {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |\n`;
  process.stdout.write(`${line(head)}${line(head.map(() => '---'))}${rows.map(line).join('')}\n`);
};

if (parts.has('pages')) {
  const taken = await provePages(Number(values.rows), say);
  table(
    [`page at ${Number(values.rows).toLocaleString('en')} rows`, '95th percentile, ms', 'most, ms', 'kB'],
    taken.map(({ path, p95, most, kB }) => [path, p95, most, kB]),
  );
  for (const { path, p95 } of taken)
    if (p95 >= (path === '/' ? FIRST_PAGE_MS : MOST_MS)) faults.push(`${path} took ${p95} ms`);
}
if (parts.has('viewers')) {
  const [viewers, slow, seconds, rate] = [values.viewers, values.slow, values.seconds, values.rate].map(
    Number,
  );
  const taken = await proveViewers({
    viewers: viewers ?? 0,
    slow: slow ?? 0,
    seconds: seconds ?? 0,
    aloneSeconds: Number(values['alone-seconds']),
    rate: rate ?? 0,
    say,
  });
  table(
    [
      'for',
      'applied/s',
      'cores',
      'peak MB',
      'looks, the least',
      'longest gap, s',
      'page, 95th percentile, ms',
    ],
    taken.map((one) => Object.values(one)),
  );
  const [alone, ...beside] = taken;
  for (const { part, appliedPerSecond, longestGapSeconds, pageP95 } of beside) {
    if (appliedPerSecond < LEAST_SHARE * (alone?.appliedPerSecond ?? 0))
      faults.push(`${part}: ${appliedPerSecond} applied per second, ${alone?.appliedPerSecond} before`);
    if (longestGapSeconds > MOST_GAP_SECONDS)
      faults.push(`${part}: a viewer saw nothing for ${longestGapSeconds} s`);
    if (pageP95 >= MOST_MS) faults.push(`${part}: a page took ${pageP95} ms`);
  }
}
if (parts.has('kill')) {
  const proof = await proveKill(say);
  process.stdout.write(`${JSON.stringify(proof, null, 2)}\n`);
  if (proof.leftOnQueue > 0 || proof.applied < proof.letters)
    faults.push(`${proof.applied} of ${proof.letters} letters were applied, ${proof.leftOnQueue} are left`);
}
if (faults.length > 0) {
  process.stdout.write(`FAILED:\n${faults.join('\n')}\n`);
  process.exitCode = 1;
}
