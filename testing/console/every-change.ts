/** Jobs and plans for every change that the console can make, for tests of the result of each change. */
import { readdirSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished } from 'vitest';
import { sleep, systemClock } from '../../src/time/clock.ts';
import { openFileLedger } from '../stages/file-ledger.ts';
import { type ConsoleJobsOptions, setConsoleJobs, shows } from './jobs.ts';
import { type Answer, ask, tokens } from './serve.ts';

const FASTER = 20;
/** Pauses between attempts are shorter than this; the time limits for a ledger that hangs are not. */
const LIMITS_MS = 2_000;
/**
 * Pauses are shorter than for people, and a ledger that is locked or away is given up sooner. A limit for one that hangs stays as it
 * is: no ledger of these tests hangs, and on a busy machine a shorter one would end a change that goes on.
 */
export const context = {
  sleep: (ms: number, signal: AbortSignal) => sleep(ms < LIMITS_MS ? ms / FASTER : ms, signal),
  clock: { ...systemClock, monotonic: () => systemClock.monotonic() * FASTER },
};

/** Jobs and plans to which every change can be made: `j` has ended with failed rows, `w` waits to be sent, `r` for its outcomes, `a` was stopped by a rule, `p` is a plan. */
export async function setAll({ openLedger }: Pick<ConsoleJobsOptions, 'openLedger'> = {}) {
  const set = await setConsoleJobs({
    send: false,
    context,
    ...(openLedger !== undefined && { openLedger }),
    api: { tasks: { kind: 'all', exceptPrefix: 'gone' } },
  });
  const { ann, run, plan, ids, stage, url, folder } = set;
  await stage.worker.start();
  await plan(ids(3), 'r', '--refresh');
  await run(['apply', 'r.jsonl', '--yes', '--detach']);
  await sendAll(`${folder.path}/state`, 'r');
  await plan(ids(3), 'a');
  await run(['apply', 'a.jsonl', '--yes', '--detach']);
  await abort(`${folder.path}/state`, 'a');
  await plan([...ids(3), 'gone1'], 'j');
  expect((await run(['apply', 'j.jsonl', '--yes'])).exitCode).toBe(3);
  await plan(ids(3), 'w');
  await run(['apply', 'w.jsonl', '--yes', '--detach']);
  await planP(set);
  const other = new DatabaseSync(`${folder.path}/state/ledger.sqlite`);
  onTestFinished(() => other.close());
  const state = async () => ({
    ledger: ['jobs', 'rows', 'audit', 'notices'].map((table) =>
      other.prepare(`SELECT * FROM ${table}`).all(),
    ),
    plans: (await planning()).map(({ job, state: name }) => [job, name]),
    folders: readdirSync(`${folder.path}/state/console/plans`).sort(),
    files: readdirSync(`${folder.path}/state/console/plans/p-p`).sort(),
  });
  const bearer = { authorization: `Bearer ${tokens.ann}` };
  const planning = async (): Promise<readonly { readonly job: string; readonly state: string }[]> =>
    JSON.parse((await ask(`${url}/api/v1/plans`, { headers: bearer })).body).plans;
  /** Each change discovers the lock itself: earlier findings are forgotten. */
  const underLock = async <T>(work: () => Promise<T>): Promise<T> => {
    await expect.poll(async () => (await ann.get('/jobs')).body).not.toContain('takes no changes');
    other.exec('BEGIN IMMEDIATE');
    try {
      return await work();
    } finally {
      other.exec('ROLLBACK');
    }
  };
  return { ...set, state, planning, underLock, bearer, other };
}

/** The plan `p`, made from a file without reading tasks: it has no former values. */
export async function planP({ ann }: Pick<Awaited<ReturnType<typeof setConsoleJobs>>, 'ann'>): Promise<void> {
  await ann.upload('p.csv', 'Identifier,TaskConfigurationId\ntask1,other\n', { jobId: 'p' });
  await shows(ann.get, '/jobs/plans/p', 'To send');
}

/** Aborts by a rule, before any row is sent. */
async function abort(folder: string, jobId: string): Promise<void> {
  const ledger = await openFileLedger(folder, Date.now);
  const { key = 0 } = (await ledger.job(jobId)) ?? {};
  for (const event of ['abort', 'settle'] as const) await ledger.change(key, { event, who: 'a rule' });
  await ledger.close();
}

/** Their outcomes never come. */
async function sendAll(folder: string, jobId: string): Promise<void> {
  const ledger = await openFileLedger(folder, Date.now);
  const lease = await ledger.lease((await ledger.job(jobId))?.key ?? 0);
  const rows = (await lease?.claim(10)) ?? [];
  const sent = rows.map(({ Row: row }) => ({ row, messageId: `m${row}` }));
  await lease?.settle({ sent, refused: [], untouched: [], maybeTwice: 0 });
  await lease?.release();
  await ledger.close();
}

export const csv = 'Identifier,TaskConfigurationId\ntask1,new\n';
export const changes: Readonly<Record<string, object | string>> = {
  '/jobs/w/pause': {},
  '/jobs/a/resume': {},
  '/jobs/w/stop': {},
  '/jobs/w/cancel': {},
  '/jobs/w/set': { settings: { rate: 7 } },
  '/jobs/j/retry': {},
  '/jobs/j/verify': {},
  '/jobs/r/reconcile': {},
  '/jobs/r/undo': { name: 'u' },
  '/plans?job=n&reason=because&refresh=false': csv,
  '/plans/live': { job: 'l', set: { Description: 'x' } },
  '/plans/p/apply': {},
  '/plans/p/discard': {},
};

export const forms: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '/jobs/of/w/pause': {},
  '/jobs/of/a/resume': {},
  '/jobs/of/w/stop': {},
  '/jobs/of/w/cancel': { name: 'w' },
  '/jobs/of/w/set': { rate: '7' },
  '/jobs/of/j/retry': {},
  '/jobs/of/j/verify': {},
  '/jobs/of/r/reconcile': {},
  '/jobs/of/r/undo': {},
  '/jobs/new/live': { jobId: 'l', setDescription: 'x' },
  '/jobs/plans/p/apply': { name: 'p' },
  '/jobs/plans/p/discard': {},
};

/** Requests one of {@link changes}, or another change, through the API. */
export async function changeBy(
  url: string,
  path: string,
  body = changes[path] ?? {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return await ask(`${url}/api/v1${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${tokens.ann}`,
      'content-type': typeof body === 'string' ? 'text/csv' : 'application/json',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify({ reason: 'because', ...body }),
  });
}
