/**
 * Compares ota-updater with what a user would pick instead.
 *
 *   node run.ts [scenario...] [--quick] [--against DIR] [--rounds N] [--family NAME]      all scenarios if none is named
 *
 * `--against DIR` names another checkout, installed: `drain` measures only this one and that one, in turn. So does `traced`, with a
 * checkout that does not know traces. Differences smaller than those between rounds need many rounds: `--rounds N`, with `--quick` for
 * short ones. With either, nothing is written. The same holds for `--family NAME`, one of the limiters of `fleet`.
 *
 * Writes results/README.md, results/results.json and plots; scenarios that are not run keep their last result. Linux.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { killAll } from '../testing/processes/child.ts';
import { workOff } from './harness/backlog.ts';
import { byHand } from './harness/contenders.ts';
import { readResults, record, tableMarkdown, targetsMarkdown, writeResults } from './harness/report.ts';
import type { Scenario } from './harness/result.ts';
import { Stage } from './harness/stage.ts';
import { adaptive } from './scenarios/adaptive.ts';
import { drain } from './scenarios/drain.ts';
import { fleet } from './scenarios/fleet/index.ts';
import { kinds } from './scenarios/fleet/kinds.ts';
import { growth } from './scenarios/growth.ts';
import { idle } from './scenarios/idle.ts';
import { mixedLatency } from './scenarios/mixed-latency.ts';
import { rate1500, throttled50 } from './scenarios/rates.ts';
import { shared } from './scenarios/shared.ts';
import { start } from './scenarios/start.ts';
import { traced } from './scenarios/traced.ts';

const scenarios: Readonly<Record<string, Scenario>> = {
  drain,
  'mixed-latency': mixedLatency,
  'rate-1500': rate1500,
  'throttled-50': throttled50,
  idle,
  adaptive,
  fleet,
  shared,
  start,
  traced,
  growth,
};
/** Time limit of a scenario, in milliseconds: none takes longer. */
const MAX_SCENARIO_MS = 60 * 60_000;

const { values, positionals } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    against: { type: 'string' },
    rounds: { type: 'string' },
    family: { type: 'string' },
  },
  allowPositionals: true,
});
const names = positionals.length > 0 ? positionals : Object.keys(scenarios);
const unknown = names.filter((name) => !(name in scenarios));
if (values.against !== undefined && (names.length !== 1 || !['drain', 'traced'].includes(names[0] ?? ''))) {
  process.stderr.write('--against is for the scenarios drain and traced\n');
  process.exit(2);
}
const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
const inRounds = names.every((name) => ['drain', 'traced'].includes(name));
if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0 && inRounds)) {
  process.stderr.write('--rounds is for the scenarios drain and traced, and a whole number from 1\n');
  process.exit(2);
}
const familyNames = kinds.map(({ name }) => name);
if (
  values.family !== undefined &&
  (names.length !== 1 || names[0] !== 'fleet' || !familyNames.includes(values.family))
) {
  process.stderr.write(`--family is for the scenario fleet, and one of ${familyNames.join(', ')}\n`);
  process.exit(2);
}
if (unknown.length > 0) {
  process.stderr.write(
    `no such scenario: ${unknown.join(', ')}; there are ${Object.keys(scenarios).join(', ')}\n`,
  );
  process.exit(2);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));

let failed = 0;
for (const name of names) {
  try {
    await runScenario(name);
  } catch (error) {
    failed++;
    process.stderr.write(`${name} failed: ${error instanceof Error ? error.stack : String(error)}\n`);
  } finally {
    killAll();
  }
}
process.exit(failed > 0 ? 1 : 0);

async function runScenario(name: string): Promise<void> {
  const scenario = scenarios[name];
  if (scenario === undefined) return;
  const startedAt = performance.now();
  const loadBefore = loadavg()[0] ?? 0;
  print(`\n== ${name}${values.quick ? ' (quick)' : ''}, load ${loadBefore.toFixed(1)}`);
  const tooLong = setTimeout(() => {
    process.stderr.write(`${name} took longer than ${MAX_SCENARIO_MS / 60_000} minutes\n`);
    process.exit(1);
  }, MAX_SCENARIO_MS);
  const stage = await Stage.start();
  try {
    // Warms up emulator and API before anything is measured on them.
    await workOff(stage, byHand(), { warmUp: 0, updates: 2_000, maxSeconds: 30 });
    const result = await scenario({
      stage,
      quick: values.quick,
      against: values.against,
      rounds,
      only: values.family,
      say: (line) => print(`  ${line}`),
    });
    if (values.against !== undefined || rounds !== undefined || values.family !== undefined) {
      print(`\n${[...result.tables.map(tableMarkdown), targetsMarkdown(result.targets)].join('\n')}`);
      return;
    }
    const recorded = await record(result, {
      command: ['npm run bench --', name, ...(values.quick ? ['--quick'] : [])].join(' '),
      quick: values.quick,
      loadBefore,
      seconds: (performance.now() - startedAt) / 1_000,
    });
    await writeResults({ ...(await readResults()), [name]: recorded }, Object.keys(scenarios));
    if (result.skipped !== undefined) print(`skipped: ${result.skipped}`);
    else print(`\n${[...result.tables.map(tableMarkdown), targetsMarkdown(result.targets)].join('\n')}`);
  } finally {
    clearTimeout(tooLong);
    await stage.close();
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
