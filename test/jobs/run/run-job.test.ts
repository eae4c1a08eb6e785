/** One run of a job over a real ledger, whose lease is lost for a while. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { PlannedJob } from '../../../src/jobs/ledger/job.ts';
import type { Lease, Ledger } from '../../../src/jobs/ledger/ledger.ts';
import { type RunOptions, runJob } from '../../../src/jobs/run/run-job.ts';
import { Wakeup } from '../../../src/jobs/run/wakeup.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { openFileLedger } from '../../../testing/stages/file-ledger.ts';
import { leaseOf, newJob, now, outcome, taskRow } from '../ledger/contract.ts';

/** The lease, with a signal that a test holds. */
function withLost(lease: Lease, lost: () => AbortSignal): Lease {
  return new Proxy(lease, {
    get: (target, name) => {
      if (name === 'lost') return lost();
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** The methods that a run calls, to be replaced one by one. */
function bound(ledger: Ledger): RunOptions['ledger'] {
  return {
    job: (id) => ledger.job(id),
    activeJobs: () => ledger.activeJobs(),
    isLeased: (key) => ledger.isLeased(key),
    count: (key) => ledger.count(key),
    setProgress: (...args) => ledger.setProgress(...args),
    change: (key, change) => ledger.change(key, change),
    cancelRows: (key, max) => ledger.cancelRows(key, max),
    addNotice: (key, notice) => ledger.addNotice(key, notice),
  };
}

/** A job of so many rows in a ledger of its own. */
async function begun(rows: number): Promise<{ readonly ledger: Ledger; readonly key: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'run-job-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const ledger = await openFileLedger(folder, () => now, 'create');
  onTestFinished(() => ledger.close());
  const { key } = await ledger.begin({ ...newJob, rows });
  await ledger.enter(
    key,
    Array.from({ length: rows }, (_, i) => taskRow(i + 1)),
  );
  await ledger.complete(key);
  return { ledger, key };
}

async function onlyJob(ledger: Ledger): Promise<PlannedJob> {
  const [job] = (await ledger.jobs()).flatMap(({ plan, ...rest }) => (plan ? [{ ...rest, plan }] : []));
  return job ?? expect.fail('not begun');
}

/** What is the same in every run here. */
const common = {
  clock: systemClock,
  who: 'ann@ops1',
  targets: [],
  devices: { seen: undefined, failed: false, look: () => {} },
  queueUrl: 'http://127.0.0.1/000000000000/updates',
  random: () => 0,
} satisfies Partial<RunOptions>;

/** Of a run that finds nothing to send. */
const sendsNothing = {
  sleep: async () => {},
  send: () => Promise.reject(new Error('nothing is to be sent')),
} satisfies Partial<RunOptions>;

test('rows that were being sent when the lease was lost are sent again once it is held again, and counted', async () => {
  const { ledger, key } = await begun(2);
  const job = await onlyJob(ledger);

  let lost = new AbortController();
  const wakeup = new Wakeup();
  let sends = 0;
  const end = await runJob({
    ...common,
    ledger,
    lease: withLost(await leaseOf(ledger, key), () => lost.signal),
    job,
    wakeup,
    signal: new AbortController().signal,
    atEnd: 'leave',
    // Between two tries of a batch: by then the ledger was away for too long, and it is back.
    sleep: async () => {
      lost.abort();
      lost = new AbortController();
    },
    send: async (messages) => {
      if (sends++ === 0) throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
      const bodies = messages.map(
        ({ body }) => JSON.parse(body) as { RequestId: string; Identifier: string },
      );
      queueMicrotask(() => {
        const ends = bodies.map(({ RequestId, Identifier }) => outcome({ RequestId, Identifier }));
        void ledger.end(ends).then(() => wakeup.wake());
      });
      return {
        failed: [],
        messageIds: new Map(messages.map(({ key: name }, i) => [name, `m-${bodies[i]?.RequestId}`])),
      };
    },
    onView: () => {},
  });
  expect(end).toMatchObject({ end: 'done', maybeTwice: 2 });
  expect(await ledger.count(key)).toMatchObject({ total: 2, applied: 2, inFlight: 0 });
}, 20_000);

test('a run of a job that was moved meanwhile changes nothing of it, and says so', async () => {
  const { ledger, key } = await begun(1);
  const killed = await leaseOf(ledger, key);
  await killed.claim(1);
  await killed.release();
  const job = await onlyJob(ledger);
  expect(await ledger.change(key, { event: 'move', who: 'bob@ops2' })).toBe(true);
  const end = await runJob({
    ...common,
    ledger,
    lease: await leaseOf(ledger, key),
    job,
    wakeup: new Wakeup(),
    signal: new AbortController().signal,
    atEnd: 'stop',
    ...sendsNothing,
    onView: () => {},
  });
  const reason = 'Job j was moved to another ledger meanwhile: nothing more of it was changed here';
  expect(end).toEqual({ end: 'left', reason, maybeTwice: 0 });
  expect(await ledger.count(key)).toMatchObject({ inFlight: 1, planned: 0 });
  expect((await ledger.job('j'))?.plan?.state.name).toBe('elsewhere');
});

test('how far a job is is what another process has made of it while the run was looking', async () => {
  const { ledger, key } = await begun(1);
  await ledger.setSettings(key, { change: () => ({ settings: { canary: { rows: 1 } } }), who: 'ann@ops1' });
  const job = await onlyJob(ledger);
  const other = { ...job.plan.progress, canary: '1', canaryPassed: true, judgedAfter: 7 };
  let looks = 0;
  const over = new AbortController();
  await runJob({
    ...common,
    ledger: {
      ...bound(ledger),
      count: async (one) => {
        const counts = await ledger.count(one);
        // The first is that of the begin.
        if (++looks === 2)
          await ledger.setSettings(key, { change: () => ({ progress: other }), who: 'bob@ops2' });
        return counts;
      },
    },
    lease: await leaseOf(ledger, key),
    job,
    wakeup: new Wakeup(),
    signal: over.signal,
    atEnd: 'leave',
    ...sendsNothing,
    onView: () => over.abort(),
  });
  expect((await ledger.job('j'))?.plan?.progress).toEqual(other);
});
