/** One run of a job over a real ledger, whose lease is lost for a while. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
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

test('rows that were being sent when the lease was lost are sent again once it is held again, and counted', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'run-job-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const ledger = await openFileLedger(folder, () => now, 'create');
  onTestFinished(() => ledger.close());
  const { key } = await ledger.begin({ ...newJob, rows: 2 });
  await ledger.enter(key, [taskRow(1), taskRow(2)]);
  await ledger.complete(key);
  const [job] = (await ledger.jobs()).flatMap(({ plan, ...rest }) => (plan ? [{ ...rest, plan }] : []));
  if (job === undefined) throw new Error('not begun');

  let lost = new AbortController();
  const wakeup = new Wakeup();
  let sends = 0;
  const end = await runJob({
    ledger,
    lease: withLost(await leaseOf(ledger, key), () => lost.signal),
    job,
    wakeup,
    clock: systemClock,
    who: 'ann@ops1',
    targets: [],
    devices: { seen: undefined, failed: false, look: () => {} },
    signal: new AbortController().signal,
    atEnd: 'leave',
    queueUrl: 'http://127.0.0.1/000000000000/updates',
    random: () => 0,
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
  const folder = mkdtempSync(join(tmpdir(), 'run-job-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const ledger = await openFileLedger(folder, () => now, 'create');
  onTestFinished(() => ledger.close());
  const { key } = await ledger.begin(newJob);
  await ledger.enter(key, [taskRow(1)]);
  await ledger.complete(key);
  const killed = await leaseOf(ledger, key);
  await killed.claim(1);
  await killed.release();
  const [job] = (await ledger.jobs()).flatMap(({ plan, ...rest }) => (plan ? [{ ...rest, plan }] : []));
  if (job === undefined) throw new Error('not begun');
  expect(await ledger.change(key, { event: 'move', who: 'bob@ops2' })).toBe(true);
  const end = await runJob({
    ledger,
    lease: await leaseOf(ledger, key),
    job,
    wakeup: new Wakeup(),
    clock: systemClock,
    who: 'ann@ops1',
    targets: [],
    devices: { seen: undefined, failed: false, look: () => {} },
    signal: new AbortController().signal,
    atEnd: 'stop',
    queueUrl: 'http://127.0.0.1/000000000000/updates',
    random: () => 0,
    sleep: async () => {},
    send: () => Promise.reject(new Error('nothing is to be sent')),
    onView: () => {},
  });
  const reason = 'Job j was moved to another ledger meanwhile: nothing more of it was changed here';
  expect(end).toEqual({ end: 'left', reason, maybeTwice: 0 });
  expect(await ledger.count(key)).toMatchObject({ inFlight: 1, planned: 0 });
  expect((await ledger.job('j'))?.plan?.state.name).toBe('elsewhere');
});

test('how far a job is is what another process has made of it while the run was looking', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'run-job-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const ledger = await openFileLedger(folder, () => now, 'create');
  onTestFinished(() => ledger.close());
  const { key } = await ledger.begin(newJob);
  await ledger.enter(key, [taskRow(1)]);
  await ledger.complete(key);
  await ledger.setSettings(key, { change: () => ({ settings: { canary: { rows: 1 } } }), who: 'ann@ops1' });
  const [job] = (await ledger.jobs()).flatMap(({ plan, ...rest }) => (plan ? [{ ...rest, plan }] : []));
  if (job === undefined) throw new Error('not begun');
  const other = { ...job.plan.progress, canary: '1', canaryPassed: true, judgedAfter: 7 };
  let looks = 0;
  const over = new AbortController();
  await runJob({
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
    clock: systemClock,
    who: 'ann@ops1',
    targets: [],
    devices: { seen: undefined, failed: false, look: () => {} },
    signal: over.signal,
    atEnd: 'leave',
    queueUrl: 'http://127.0.0.1/000000000000/updates',
    random: () => 0,
    sleep: async () => {},
    send: () => Promise.reject(new Error('nothing is to be sent')),
    onView: () => over.abort(),
  });
  expect((await ledger.job('j'))?.plan?.progress).toEqual(other);
});
