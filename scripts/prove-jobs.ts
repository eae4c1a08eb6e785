/**
 * The proof of bulk jobs: a plan whose rows end in every way, applied by two workers of which one is killed half way,
 * by a `jobs apply` that is killed twice and resumed; then the report is compared, row by row, with what the
 * simulated API holds.
 *
 *   node scripts/prove-jobs.ts --rows 50000 --rate 1000
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parse } from 'csv-parse/sync';
import { type Cloud, startCloud } from '../src/sandbox/cloud.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const JOB = 'proof';
const WANTED = 'cfgNew';

export interface ProofOptions {
  readonly rows: number;
  /** Calls per second at most, of each worker. */
  readonly rate: number;
  readonly say: (line: string) => void;
}

export interface Proof {
  /** Rows of the report. */
  readonly rows: number;
  /** By state, and by the error of the failed ones. */
  readonly ends: Readonly<Record<string, number>>;
  /** Rows whose end is not what the API holds, or not what its kind must come to. */
  readonly mismatches: readonly string[];
  readonly maybeTwice: number;
  readonly seconds: number;
  /** Resident memory of each command of `jobs` at its peak, in MB. */
  readonly peakMemory: Readonly<Record<string, number>>;
  readonly exitCode: number | null;
}

type Kind = 'plain' | 'invalid' | 'wanted' | 'unknown' | 'denied';

/** 1% refused by the API, 2% as wanted before, 0.5% without a task, 0.1% denied. */
function kindOf(row: number): Kind {
  if (row % 100 === 7) return 'invalid';
  if (row % 50 === 3) return 'wanted';
  if (row % 200 === 11) return 'unknown';
  if (row % 1_000 === 13) return 'denied';
  return 'plain';
}

const errorOf: Readonly<Record<Kind, string>> = {
  plain: '',
  wanted: '',
  invalid: 'ValidationException',
  unknown: 'ResourceNotFoundException',
  denied: 'AccessDeniedException',
};

const identifierOf = (row: number): string => `${kindOf(row)}${row}`;

export async function proveJobs({ rows, rate, say }: ProofOptions): Promise<Proof> {
  const folder = mkdtempSync(join(tmpdir(), 'prove-jobs-'));
  const cloud = await startCloud({
    host: '127.0.0.1',
    sqsPort: 0,
    apiPort: 0,
    token: 'proof',
    api: { tasks: { kind: 'all', exceptPrefix: 'unknown' }, denied: { prefix: 'denied' } },
  });
  const processes = new Processes(cloud, folder, rate);
  try {
    const startedAt = performance.now();
    await prepare(cloud, folder, rows);
    await processes.run('jobs', 'plan', 'rows.csv', '--job-id', JOB, '--out', 'plan.jsonl');
    const before = cloud.api.stats().calls;
    const called = (share: number): Promise<void> =>
      cloud.api.waitFor(() => cloud.api.stats().calls - before >= rows * share);

    const first = processes.start('worker');
    processes.start('worker');
    for (const [i, share] of [0.25, 0.6].entries()) {
      const apply = processes.start('jobs', ...(i === 0 ? ['apply', 'plan.jsonl'] : ['resume', JOB]));
      if (i === 1) {
        await called(0.5);
        await kill(first);
        say('killed one of two workers');
        processes.start('worker');
      }
      await called(share);
      await kill(apply);
      say(`killed jobs apply after ${Math.round(share * 100)}% of the calls`);
    }
    const last = await processes.run('jobs', 'resume', JOB, '--json');
    const { maybeSentTwice } = JSON.parse(last.stdout) as { maybeSentTwice: number };
    const seconds = (performance.now() - startedAt) / 1_000;
    await processes.run('jobs', 'report', JOB, '--format', 'csv', '--out', 'report.csv');
    return {
      ...compare(cloud, readFileSync(join(folder, 'report.csv'), 'utf8'), rows),
      maybeTwice: maybeSentTwice,
      seconds,
      peakMemory: processes.peakMemory,
      exitCode: last.exitCode,
    };
  } finally {
    await processes.killAll();
    await cloud.close();
    rmSync(folder, { recursive: true });
  }
}

async function prepare({ api }: Cloud, folder: string, rows: number): Promise<void> {
  const lines = Array.from({ length: rows }, (_, i) => `${identifierOf(i + 1)},${WANTED}`);
  writeFileSync(join(folder, 'rows.csv'), `Identifier,TaskConfigurationId\n${lines.join('\n')}\n`);
  const refusal = { status: 400, errorType: 'ValidationException' };
  for (let row = 1; row <= rows; row++) {
    const kind = kindOf(row);
    // As often as a row may be sent twice, thrice, …
    if (kind === 'invalid')
      api.script(
        identifierOf(row),
        Array.from({ length: 5 }, () => refusal),
      );
    if (kind !== 'wanted') continue;
    await fetch(`${api.url}/ota-tasks/${identifierOf(row)}`, {
      method: 'PUT',
      headers: { authorization: 'AWS4-HMAC-SHA256 Credential=proof', 'content-type': 'application/json' },
      body: JSON.stringify({ TaskConfigurationId: WANTED }),
    });
  }
}

function compare({ api }: Cloud, report: string, rows: number): Pick<Proof, 'rows' | 'ends' | 'mismatches'> {
  const records = parse(report, { columns: true }) as Record<string, string>[];
  const ends: Record<string, number> = {};
  const mismatches: string[] = [];
  for (const [i, { Row, Identifier = '', State = '', ErrorName = '' }] of records.entries()) {
    const end = ErrorName === '' ? State : `${State} ${ErrorName}`;
    ends[end] = (ends[end] ?? 0) + 1;
    const kind = kindOf(i + 1);
    const holds = api.task(Identifier)?.TaskConfigurationId === WANTED;
    const good = State === 'applied' || State === 'superseded';
    const right =
      Row === String(i + 1) &&
      Identifier === identifierOf(i + 1) &&
      good === holds &&
      ErrorName === errorOf[kind] &&
      good === (errorOf[kind] === '');
    if (!right)
      mismatches.push(`row ${Row} ${Identifier}: ${end}, and the task ${holds ? 'is' : 'is not'} as wanted`);
  }
  if (records.length !== rows) mismatches.push(`the report has ${records.length} rows of ${rows}`);
  return { rows: records.length, ends, mismatches };
}

/** Everything this proof starts; measures the memory of the commands of `jobs`. */
class Processes {
  readonly #env: Readonly<Record<string, string>>;
  readonly #folder: string;
  readonly #children = new Set<ChildProcess>();
  readonly peakMemory: Record<string, number> = {};

  constructor(cloud: Cloud, folder: string, rate: number) {
    this.#folder = folder;
    this.#env = {
      PATH: process.env.PATH ?? '',
      HOME: folder,
      // Given by the tests: what each process of a proof compiles is the same.
      ...(process.env.NODE_COMPILE_CACHE !== undefined && {
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      }),
      QUEUE_URL: cloud.queueUrl,
      DEAD_LETTER_QUEUE_URL: cloud.deadLetterQueueUrl,
      OUTCOME_QUEUE_URL: cloud.outcomeQueueUrl,
      AWS_ENDPOINT_URL_SQS: cloud.sqsUrl,
      AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS: cloud.api.url,
      AWS_REGION: cloud.client.region as string,
      AWS_ACCESS_KEY_ID: 'proof',
      AWS_SECRET_ACCESS_KEY: 'proof',
      STATE_DIR: join(folder, 'state'),
      RATE_LIMIT: String(rate),
      VISIBILITY_TIMEOUT_SECONDS: '5',
      HTTP_PORT: '0',
      LOG_LEVEL: 'warn',
    };
  }

  start(...args: readonly string[]): ChildProcess {
    const quiet = args[0] === 'worker' ? ('ignore' as const) : ('pipe' as const);
    const child = spawn(process.execPath, [main, ...args], {
      cwd: this.#folder,
      env: this.#env,
      stdio: ['ignore', quiet, quiet],
    });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    if (args[0] === 'jobs') this.#measure(child, args[1] ?? '');
    return child;
  }

  async run(...args: readonly string[]): Promise<{ stdout: string; exitCode: number | null }> {
    const child = this.start(...args);
    const [stdout, stderr] = await Promise.all([child.stdout, child.stderr].map((s) => (s ? text(s) : '')));
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    if (child.exitCode !== 0 && child.exitCode !== 3) {
      throw new Error(`${args.join(' ')} ended with ${child.exitCode}: ${stdout}${stderr}`);
    }
    return { stdout: stdout ?? '', exitCode: child.exitCode };
  }

  async killAll(): Promise<void> {
    await Promise.all([...this.#children].map(kill));
  }

  #measure(child: ChildProcess, command: string): void {
    const timer = setInterval(() => {
      try {
        const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
        const peak = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024;
        this.peakMemory[command] = Math.round(Math.max(this.peakMemory[command] ?? 0, peak));
      } catch {
        // Not Linux, or gone.
      }
    }, 100);
    child.once('exit', () => clearInterval(timer));
  }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { rows: { type: 'string', default: '50000' }, rate: { type: 'string', default: '1000' } },
  });
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const proof = await proveJobs({ rows: Number(values.rows), rate: Number(values.rate), say });
  const shown = { ...proof, mismatches: proof.mismatches.slice(0, 20), mismatching: proof.mismatches.length };
  process.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
  process.exitCode = proof.mismatches.length === 0 ? 0 : 1;
}
