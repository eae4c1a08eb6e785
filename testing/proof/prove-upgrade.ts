/**
 * An upgrade during work, from an earlier checkout to this one: old and new workers on one Redis, and a job that the old
 * program planned, entered and was killed in, which the new program continues.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCloud } from '../../src/sandbox/cloud.ts';
import { compareReport, JOB, makePlan, planFaults, prepare } from './job.ts';
import { Processes } from './processes.ts';
import { onRedis, type PaceFinding, sum, tell } from './prove-pace.ts';
import { WorkerFleet } from './worker-fleet.ts';

export interface UpgradeOptions {
  /** The earlier checkout, installed. */
  readonly from: string;
  readonly say: (line: string) => void;
}

const RATE = 200;
const SECONDS = 20;
/** How far the sum of a fleet may exceed the ceiling, as a share: calls that were booked in the second before. */
const TOLERANCE = 0.03;
const ROWS = 2_000;

const programOf = (checkout: string): readonly string[] => ['--', join(resolve(checkout), 'src/main.ts')];

/** Two old workers and two new ones on one Redis: all work, and together they stay below the ceiling. */
export async function proveOneBudget({ from, say }: UpgradeOptions): Promise<PaceFinding[]> {
  return await onRedis(async (redis) => {
    const fleet = await WorkerFleet.start(RATE * (SECONDS * 2 + 30));
    try {
      const env = { RATE_LIMIT: String(RATE), REDIS_URL: redis.url };
      const script = programOf(from);
      const old = [await fleet.add(env, { script }), await fleet.add(env, { script })];
      await fleet.add(env);
      await fleet.add(env);
      const findings: PaceFinding[] = [];
      const check = async (what: string, working: readonly number[]): Promise<void> => {
        await sleep(2_000);
        const each = (await Promise.all(working.map((worker) => fleet.perSecond(worker, SECONDS)))).map(sum);
        const met = each.every((calls) => calls > 0) && sum(each) <= RATE * SECONDS * (1 + TOLERANCE);
        const seen = `${each.join(', ')} calls, ${(sum(each) / SECONDS).toFixed(1)}/s in all of ${RATE}/s`;
        findings.push(tell(say, { what: `${what}, over ${SECONDS} s`, seen, met }));
      };
      await check('two old workers, then two new ones', [0, 1, 2, 3]);
      await old[0]?.end('SIGTERM');
      await old[1]?.end('SIGTERM');
      await check('the new ones, once the old ones have ended', [2, 3]);
      return findings;
    } finally {
      await fleet.end();
    }
  });
}

/** A job of the old program: the new program takes over its plan, its ledger and its outcomes. */
export async function proveJobTakenOver({ from, say }: UpgradeOptions): Promise<PaceFinding[]> {
  const folder = mkdtempSync(join(tmpdir(), 'prove-upgrade-'));
  const cloud = await startCloud({ host: '127.0.0.1', sqsPort: 0, apiPort: 0, token: 'proof', api: {} });
  const before = new Processes(cloud, folder, RATE, {}, programOf(from));
  const now = new Processes(cloud, folder, RATE);
  try {
    await prepare(cloud, folder, ROWS);
    const plan = await makePlan(before);
    cloud.api.configure({ tasks: { kind: 'all', exceptPrefix: 'unknown' }, denied: { prefix: 'denied' } });
    const called = cloud.api.stats().calls;
    const worker = before.start('worker');
    const apply = before.start('jobs', 'apply', 'plan.jsonl', '--yes');
    await cloud.api.waitFor(() => cloud.api.stats().calls - called >= ROWS / 3);
    await apply.end();
    now.start('worker');
    await worker.end('SIGTERM');
    await now.run('jobs', 'resume', JOB, '--json');
    const { mismatches, ends } = await compareReport(cloud, now, folder, ROWS);
    const faults = [...planFaults(plan, ROWS), ...mismatches];
    const what = `a job of ${ROWS} rows, planned and begun by the old program, resumed by the new one`;
    const seen = faults.length === 0 ? JSON.stringify(ends) : faults.slice(0, 5).join('; ');
    return [tell(say, { what, seen, met: faults.length === 0 })];
  } finally {
    await Promise.all([before.killAll(), now.killAll()]);
    await cloud.close();
    rmSync(folder, { recursive: true });
  }
}
