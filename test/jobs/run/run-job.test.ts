/** One run of a job over a real ledger, whose lease is lost for a while. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Lease } from '../../../src/jobs/ledger/ledger.ts';
import { runJob } from '../../../src/jobs/run/run-job.ts';
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
