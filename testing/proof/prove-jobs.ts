/**
 * The proof of bulk jobs: a plan whose rows end in every way, applied by two workers of which one is killed half way,
 * by a `jobs apply` that is killed twice and resumed; then the report is compared, row by row, with what the
 * simulated API holds.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { type Cloud, startCloud } from '../../src/sandbox/cloud.ts';
import { Processes } from './processes.ts';
import { expectedCounts, identifierOf, kindOf, lineOf, right, WANTED } from './rows.ts';

const JOB = 'proof';

export interface ProofOptions {
  readonly rows: number;
  /** Calls per second at most, of each worker. */
  readonly rate: number;
  readonly say: (line: string) => void;
}

export interface Proof {
  /** Rows of the report. */
  readonly rows: number;
  /** What the plan counted. */
  readonly plan: Readonly<Record<string, number>>;
  /** Rows of the report by state, and by the error of the failed ones. */
  readonly ends: Readonly<Record<string, number>>;
  /** What is not as it must be: of the plan, of memory, of rows that ended otherwise than their kind or the API says. */
  readonly mismatches: readonly string[];
  readonly maybeTwice: number;
  readonly seconds: { readonly plan: number; readonly apply: number };
  /** Resident memory of each command of `jobs` at its peak, in MB. */
  readonly peakMemory: Readonly<Record<string, number>>;
  readonly exitCode: number | null;
}

export async function proveJobs({ rows, rate, say }: ProofOptions): Promise<Proof> {
  const folder = mkdtempSync(join(tmpdir(), 'prove-jobs-'));
  const cloud = await startCloud({ host: '127.0.0.1', sqsPort: 0, apiPort: 0, token: 'proof', api: {} });
  const processes = new Processes(cloud, folder, rate);
  try {
    await prepare(cloud, folder, rows);
    let startedAt = performance.now();
    const plan = await makePlan(processes);
    const seconds = { plan: secondsSince(startedAt), apply: 0 };
    say(`planned in ${seconds.plan} s: ${JSON.stringify(plan)}`);
    // What the plan could not know: tasks that are deleted, and a policy that changes, before it is applied.
    cloud.api.configure({ tasks: { kind: 'all', exceptPrefix: 'unknown' }, denied: { prefix: 'denied' } });

    startedAt = performance.now();
    const last = await applyWithKills(cloud, processes, rows, say);
    const { maybeSentTwice } = JSON.parse(last.stdout) as { maybeSentTwice: number };
    seconds.apply = secondsSince(startedAt);
    await processes.run('jobs', 'report', JOB, '--out', 'report.csv');
    const compared = compare(cloud, readFileSync(join(folder, 'report.csv'), 'utf8'), rows);
    return {
      ...compared,
      plan,
      mismatches: [...planFaults(plan, rows), ...processes.memoryFaults(), ...compared.mismatches],
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

/** Writes the rows, and updates some tasks so that their rows change nothing. */
async function prepare({ api }: Cloud, folder: string, rows: number): Promise<void> {
  const lines = Array.from({ length: rows }, (_, i) => lineOf(i + 1));
  writeFileSync(join(folder, 'rows.csv'), `Identifier,TaskConfigurationId\n${lines.join('\n')}\n`);
  for (let row = 1; row <= rows; row++) {
    if (kindOf(row) !== 'wanted') continue;
    await fetch(`${api.url}/ota-tasks/${identifierOf(row)}`, {
      method: 'PUT',
      headers: { authorization: 'AWS4-HMAC-SHA256 Credential=proof', 'content-type': 'application/json' },
      body: JSON.stringify({ TaskConfigurationId: WANTED }),
    });
  }
}

async function makePlan(processes: Processes): Promise<Proof['plan']> {
  const args = ['jobs', 'plan', 'rows.csv', '--refresh', '--job', JOB, '--out', 'plan.jsonl', '--json'];
  const { stdout } = await processes.run(...args);
  const { rows = 0, toChange = 0, alreadyAsWanted = 0, refused = 0, duplicates = 0 } = JSON.parse(stdout);
  return { rows, toChange, alreadyAsWanted, refused, duplicates };
}

/** @returns how the last `jobs resume` ended. */
async function applyWithKills(
  { api }: Cloud,
  processes: Processes,
  rows: number,
  say: ProofOptions['say'],
): Promise<{ stdout: string; exitCode: number | null }> {
  const before = api.stats().calls;
  const called = (share: number): Promise<void> =>
    api.waitFor(() => api.stats().calls - before >= rows * share);

  const first = processes.start('worker');
  processes.start('worker');
  for (const [i, share] of [0.25, 0.6].entries()) {
    const apply = processes.start('jobs', ...(i === 0 ? ['apply', 'plan.jsonl', '--yes'] : ['resume', JOB]));
    if (i === 1) {
      await called(0.5);
      await first.end();
      say('killed one of two workers');
      processes.start('worker');
    }
    await called(share);
    await apply.end();
    say(`killed jobs ${i === 0 ? 'apply' : 'resume'} after ${Math.round(share * 100)}% of the calls`);
  }
  return await processes.run('jobs', 'resume', JOB, '--json');
}

function planFaults(plan: Proof['plan'], rows: number): string[] {
  return Object.entries(expectedCounts(rows))
    .filter(([name, count]) => plan[name] !== count)
    .map(([name, count]) => `the plan counts ${plan[name]} ${name}, not ${count}`);
}

function compare({ api }: Cloud, report: string, rows: number): Pick<Proof, 'rows' | 'ends' | 'mismatches'> {
  const records = parse(report, { columns: true }) as Record<string, string>[];
  const ends: Record<string, number> = {};
  const mismatches: string[] = [];
  for (const [i, record] of records.entries()) {
    const { Row, Identifier = '', State = '', ErrorName = '' } = record;
    const end = ErrorName === '' ? State : `${State} ${ErrorName}`;
    ends[end] = (ends[end] ?? 0) + 1;
    const holds = api.task(identifierOf(i + 1))?.TaskConfigurationId === WANTED;
    if (!right(i + 1, record, holds))
      mismatches.push(`row ${Row} ${Identifier}: ${end}, and the task ${holds ? 'is' : 'is not'} as wanted`);
  }
  if (records.length !== rows) mismatches.push(`the report has ${records.length} rows of ${rows}`);
  return { rows: records.length, ends, mismatches };
}

function secondsSince(startedAt: number): number {
  return Math.round((performance.now() - startedAt) / 100) / 10;
}
