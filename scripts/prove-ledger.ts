/**
 * Proves large jobs in both kinds of ledger: time and memory of planning, entering, following, reporting and moving a job, SQLite and
 * PostgreSQL beside each other. A job of a tenth of the rows is measured before it, to compare the memory.
 *
 *   npm run prove-ledger -- --rows 1000000
 */
import { parseArgs } from 'node:util';
import { MAX_PEAK_MB } from '../testing/proof/processes.ts';
import { kinds, proveLedger, type Taken } from '../testing/proof/prove-ledger.ts';

const { values } = parseArgs({ options: { rows: { type: 'string', default: '1000000' } } });
const say = (line: string): void => void process.stderr.write(`${line}\n`);

function table(rows: number, taken: readonly Taken[]): string {
  const steps = [...new Set(taken.map(({ step }) => step))];
  const cell = (step: string, kind: Taken['kind']): string => {
    const found = taken.find((one) => one.step === step && one.kind === kind);
    return found === undefined ? '' : `${found.seconds} s, ${found.peakMb} MB`;
  };
  const lines = steps.map((step) => {
    const cells = kinds.map((kind) => cell(step, kind) || cell(step, 'none'));
    return `| ${step} | ${cells.join(' | ')} |`;
  });
  return [`| ${rows.toLocaleString('en')} rows | ${kinds.join(' | ')} |`, '|---|---|---|', ...lines, ''].join(
    '\n',
  );
}

/** The commands have a bound; ends come by ten thousand here, and what that takes must not grow with the rows. */
function mostOf(step: string, ofTenth: number | undefined): number {
  if (step !== 'follow') return MAX_PEAK_MB;
  return ofTenth === undefined ? Number.POSITIVE_INFINITY : ofTenth * 1.25 + 20;
}

let tenth: readonly Taken[] = [];
const all = Number(values.rows);
for (const rows of [Math.round(all / 10), all]) {
  const { taken, faults } = await proveLedger(rows, say);
  process.stdout.write(`${table(rows, taken)}\n`);
  const large = taken.filter(
    ({ step, kind, peakMb }) =>
      peakMb > mostOf(step, tenth.find((one) => one.step === step && one.kind === kind)?.peakMb),
  );
  tenth = taken;
  const wrong = [...faults, ...large.map(({ kind, step, peakMb }) => `${kind} ${step} took ${peakMb} MB`)];
  if (wrong.length === 0) continue;
  process.stdout.write(`FAILED:\n${wrong.join('\n')}\n`);
  process.exitCode = 1;
}
