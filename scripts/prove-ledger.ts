/**
 * Proves large jobs in both kinds of ledger: time and memory of planning, entering, following, reporting and moving a job, for SQLite
 * and PostgreSQL. A job with a tenth of the rows is measured first: the memory that a step holds must not grow with the rows.
 *
 *   npm run prove-ledger -- --rows 1000000 [--against CHECKOUT]
 *
 * CHECKOUT is a checkout from before jobs had states (8389bf0), with its `node_modules`: the same steps are measured there, too.
 */
import { parseArgs } from 'node:util';
import { MAX_GROWTH, MAX_PEAK_MB, memoryFault } from '../testing/proof/memory.ts';
import { type Contender, HEAP_MB, proveLedger, type Taken } from '../testing/proof/prove-ledger.ts';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, against: { type: 'string' } },
});
const say = (line: string): void => void process.stderr.write(`${line}\n`);

function table(rows: number, taken: readonly Taken[]): string {
  const steps = [...new Set(taken.map(({ step }) => step))];
  const columns: readonly Contender[] = [
    'SQLite',
    'PostgreSQL',
    ...(values.against === undefined ? [] : (['before'] as const)),
  ];
  const cell = (step: string, kind: Contender): string => {
    const found =
      taken.find((one) => one.step === step && one.kind === kind) ??
      taken.find((one) => kind !== 'before' && one.step === step && one.kind === 'none');
    return found === undefined ? '' : `${found.seconds} s, ${found.peakMb} MB`;
  };
  const lines = steps.map((step) => `| ${step} | ${columns.map((kind) => cell(step, kind)).join(' | ')} |`);
  const title = `| ${rows.toLocaleString('en')} rows | ${columns.join(' | ')} |`;
  return [title, `|---${'|---'.repeat(columns.length)}|`, ...lines, ''].join('\n');
}

/** Deviations from the expected results. @param tenth the results with a tenth of the rows. */
function tooLarge(taken: readonly Taken[], tenth: readonly Taken[]): string[] {
  return taken
    .filter(({ kind }) => kind !== 'before')
    .flatMap(({ step, kind, peakMb }) => {
      const before = tenth.find((one) => one.step === step && one.kind === kind)?.peakMb;
      return memoryFault(`${kind} ${step}`, peakMb, before) ?? [];
    });
}

let tenth: readonly Taken[] = [];
const all = Number(values.rows);
for (const rows of [Math.round(all / 10), all]) {
  const { taken, faults } = await proveLedger(rows, say, values.against);
  process.stdout.write(`${table(rows, taken)}\n`);
  const wrong = [...faults, ...tooLarge(taken, tenth)];
  tenth = taken;
  if (wrong.length === 0) continue;
  process.stdout.write(`FAILED:\n${wrong.join('\n')}\n`);
  process.exitCode = 1;
}
process.stdout.write(
  `Each process has a heap of ${HEAP_MB} MB. It must take ${MAX_PEAK_MB} MB at most, and ${MAX_GROWTH} times what it takes with a tenth of the rows.\n`,
);
