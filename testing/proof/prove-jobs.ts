/**
 * The proof of bulk jobs: a plan whose rows end in every way is applied by two workers, one of which is killed half
 * way, and by a `jobs apply` that is killed twice and resumed. Then the report is compared, row by row, with what the
 * simulated API holds.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cloud, startCloud } from '../../src/sandbox/cloud.ts';
import { type Compared, compareReport, JOB, makePlan, type PlanCounts, planFaults, prepare } from './job.ts';
import { Processes } from './processes.ts';

export interface ProofOptions {
  readonly rows: number;
  /** Maximum calls per second of each worker. */
  readonly rate: number;
  readonly say: (line: string) => void;
}

export interface Proof extends Compared {
  /** What the plan counted. */
  readonly plan: PlanCounts;
  readonly maybeTwice: number;
  readonly seconds: { readonly plan: number; readonly apply: number };
  /** Peak resident memory of each command of `jobs`, in MB. */
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
    // Changes after planning, before the plan is applied: deleted tasks, and another policy.
    cloud.api.configure({ tasks: { kind: 'all', exceptPrefix: 'unknown' }, denied: { prefix: 'denied' } });

    startedAt = performance.now();
    const last = await applyWithKills(cloud, processes, rows, say);
    const { maybeSentTwice } = JSON.parse(last.stdout) as { maybeSentTwice: number };
    seconds.apply = secondsSince(startedAt);
    const compared = await compareReport(cloud, processes, folder, rows);
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

function secondsSince(startedAt: number): number {
  return Math.round((performance.now() - startedAt) / 100) / 10;
}
