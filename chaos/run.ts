/** `npm run chaos`: proves that nothing is lost. Exit code 1 when a promise was broken, 2 for misuse. */
import { parseArgs } from 'node:util';
import type { Findings } from './harness/findings.ts';
import { describeFindings, tableOf } from './harness/report.ts';
import { runOnce } from './harness/run-once.ts';
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
  --json          one line of JSON per run
  --scenario NAME one of the scenarios below, instead
  --help

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
} else {
  const found: Findings[] = [];
  const first = whole('seed');
  for (let seed = first; seed < first + whole('runs'); seed++) {
    const findings = await runOnce({
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
      // Linux has a command that takes file descriptors from a running process.
      shortages: process.platform === 'linux' ? 2 : 0,
      workers: whole('workers'),
      denied: true,
      apiLimit: whole('api-limit'),
      say: values.json ? () => undefined : say,
    });
    found.push(findings);
    write(values.json ? JSON.stringify(findings) : `${describeFindings(findings)}\n`);
  }
  if (found.length > 1 && !values.json) write(tableOf(found));
  process.exitCode = found.every(({ broken }) => broken.length === 0) ? 0 : 1;
}

// Whatever is still open (a connection that was reset under way) must not keep it.
process.stdout.write('', () => process.exit());
