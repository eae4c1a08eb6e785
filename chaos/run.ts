/** `npm run chaos`: proves that nothing is lost. Exit code 1 if a promise was broken, 2 for misuse. */
import { parseArgs } from 'node:util';
import { postgresInstalled } from '../testing/postgres/server.ts';
import { describeFindings, tableOf } from './harness/report.ts';
import { runOnce } from './harness/run-once.ts';
import { describeJobFindings, tableOfJobs } from './jobs/report.ts';
import { runJobOnce } from './jobs/run-job-once.ts';
import { scenarios } from './scenarios/index.ts';

const help = `Usage: npm run chaos -- [options]

Runs workers among faults and kills, and says of every update how it ended.

  --seed N        the seed of the first run (default 1); the same seed draws the same faults
  --runs N        so many runs, with seeds from N up, and a table at the end (default 1)
  --updates N     updates per run (default 5000)
  --fifo          FIFO queues, whose order is checked
  --redis         the rate shared through Redis, behind a proxy of its own
  --seconds N     time per run at most; what is left by then is missing (default 240)
  --kills N       SIGKILLs per run (default 3)
  --workers N     workers side by side (default 2)
  --api-limit N   calls per second that the API takes (default 250)
  --jobs          a bulk job instead: its senders, its workers and its ledger among faults, and a person who steers it
  --ledger NAME   of that job: sqlite or postgres (default sqlite)
  --rows N        of that job (default 3000)
  --json          one line of JSON per run
  --scenario NAME one of the scenarios below, instead
  --help

SQS_JUDGE=local-aws-sqs in the environment: on that SQS emulator instead of fauxqs.

Scenarios:
${Object.entries(scenarios)
  .map(([name, { about }]) => `  ${name.padEnd(16)}${about}`)
  .join('\n')}
`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1' },
    updates: { type: 'string', default: '5000' },
    fifo: { type: 'boolean', default: false },
    redis: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '240' },
    kills: { type: 'string', default: '3' },
    workers: { type: 'string', default: '2' },
    'api-limit': { type: 'string', default: '250' },
    jobs: { type: 'boolean', default: false },
    ledger: { type: 'string', default: 'sqlite' },
    rows: { type: 'string', default: '3000' },
    json: { type: 'boolean', default: false },
    scenario: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const write = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
/** Progress goes to stderr, so that stdout can be read by a script. */
const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

function whole(name: keyof typeof values): number {
  const text = String(values[name]);
  if (/^\d{1,9}$/.test(text)) return Number(text);
  say(`--${name}: must be a whole number, is ${JSON.stringify(text)}`);
  process.exit(2);
}

/** Runs once per seed, and prints the findings of each run; for several runs, also a table. */
async function runSeeds<Found extends { readonly broken: readonly string[] }>(
  run: (seed: number) => Promise<Found>,
  describe: (found: Found) => string,
  table: (all: readonly Found[]) => string,
): Promise<void> {
  const all: Found[] = [];
  const first = whole('seed');
  for (let seed = first; seed < first + whole('runs'); seed++) {
    const found = await run(seed);
    all.push(found);
    write(values.json ? JSON.stringify(found) : `${describe(found)}\n`);
  }
  if (all.length > 1 && !values.json) write(table(all));
  process.exitCode = all.every(({ broken }) => broken.length === 0) ? 0 : 1;
}

function ledgerKind(): 'sqlite' | 'postgres' {
  const { ledger } = values;
  if (ledger !== 'sqlite' && ledger !== 'postgres') {
    say(`--ledger: must be sqlite or postgres, is ${JSON.stringify(ledger)}`);
    process.exit(2);
  }
  if (ledger === 'postgres' && !postgresInstalled()) process.exit(2);
  return ledger;
}

const told = values.json ? () => undefined : say;

if (values.help) {
  write(help);
} else if (values.scenario !== undefined) {
  const scenario = scenarios[values.scenario];
  if (scenario === undefined) {
    say(`no scenario ${JSON.stringify(values.scenario)}; there are ${Object.keys(scenarios).join(', ')}`);
    process.exit(2);
  }
  const { shown, broken } = await scenario.run({ seed: whole('seed'), say });
  write(
    values.json
      ? JSON.stringify({ scenario: values.scenario, shown, broken })
      : `${values.scenario}: ${shown}`,
  );
  for (const line of broken) say(`  ! ${line}`);
  process.exitCode = broken.length === 0 ? 0 : 1;
} else if (values.jobs) {
  const ledger = ledgerKind();
  await runSeeds(
    (seed) =>
      runJobOnce({
        seed,
        ledger,
        rows: whole('rows'),
        seconds: whole('seconds'),
        kills: whole('kills') + 1,
        stops: 1,
        cuts: 5,
        clockSteps: 2,
        freezes: 1,
        ledgerEnds: 2,
        steers: 6,
        workers: whole('workers'),
        apiLimit: whole('api-limit'),
        say: told,
      }),
    describeJobFindings,
    tableOfJobs,
  );
} else {
  await runSeeds(
    (seed) =>
      runOnce({
        seed,
        updates: whole('updates'),
        fifo: values.fifo,
        redis: values.redis,
        seconds: whole('seconds'),
        kills: whole('kills'),
        stops: 1,
        cuts: values.redis ? 4 : 3,
        cutMs: 4_000,
        clockSteps: 4,
        // Linux has a command that changes the descriptor limit of a running process.
        shortages: process.platform === 'linux' ? 2 : 0,
        workers: whole('workers'),
        denied: true,
        apiLimit: whole('api-limit'),
        say: told,
      }),
    describeFindings,
    tableOf,
  );
}

// Open handles (such as a connection that was just reset) must not keep the process alive.
process.stdout.write('', () => process.exit());
