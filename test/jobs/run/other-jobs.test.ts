/** Several jobs at once, each with a sender of its own, over one queue: in virtual time, with a real ledger. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import type { PlannedJob } from '../../../src/jobs/ledger/job.ts';
import type { Lease, Ledger } from '../../../src/jobs/ledger/ledger.ts';
import { requestIdOf } from '../../../src/jobs/ledger/row.ts';
import { parseAbortRule } from '../../../src/jobs/rules/abort-rules.ts';
import { parseRamp } from '../../../src/jobs/rules/ramp.ts';
import type { JobSettings } from '../../../src/jobs/rules/settings.ts';
import { WINDOW_SECONDS } from '../../../src/jobs/rules/window.ts';
import { Allowance } from '../../../src/jobs/run/allowance.ts';
import { OtherJobs } from '../../../src/jobs/run/other-jobs.ts';
import { decideOn, Pace } from '../../../src/jobs/run/progress.ts';
import { fromText, toText } from '../../../src/jobs/transfer/file.ts';
import { allCases } from '../../../testing/cases.ts';
import { openFileLedger } from '../../../testing/stages/file-ledger.ts';
import { anotherTry, newJob } from '../ledger/contract.ts';

const STEP_MS = 250;

interface Sender {
  readonly job: PlannedJob;
  readonly lease: Lease;
  readonly pace: Pace;
  readonly allowance: Allowance;
  readonly others: OtherJobs;
}

class Shared {
  readonly ledger: Ledger;
  now = 0;
  readonly senders: Sender[] = [];
  mostQueued = 0;
  /** Rows of this job are lost on their way: they never end. */
  losing: string | undefined;
  /** In the order in which they were sent. */
  readonly queue: { readonly jobId: string; readonly requestId: string; readonly identifier: string }[] = [];

  constructor(ledger: Ledger) {
    this.ledger = ledger;
  }

  async add(jobId: string, rows: number, settings: JobSettings): Promise<void> {
    const { ledger } = this;
    const { key } = await ledger.begin({ ...newJob, jobId, rows, digest: jobId });
    const all = Array.from({ length: rows }, (_, i) => ({
      Row: i + 1,
      Identifier: `${jobId}${i}`,
      Description: 'x',
    }));
    await ledger.enter(key, all);
    await ledger.complete(key);
    await ledger.setSettings(key, { change: () => ({ settings }), who: 'a@b' });
    await ledger.change(key, { event: 'release', who: 'a@b' });
    const job = (await ledger.activeJobs()).find((one) => one.key === key);
    const lease = await ledger.lease(key);
    if (job === undefined || lease === undefined) throw new Error('not begun');
    onTestFinished(() => lease.release());
    const now = () => this.now;
    const others = new OtherJobs(ledger, key, { monotonic: now, wall: now });
    this.senders.push({
      job,
      lease,
      pace: new Pace(now, { endedByWorkers: 0 }),
      allowance: new Allowance(now),
      others,
    });
  }

  /** @param perSecond messages that a worker ends. */
  async run(seconds: number, perSecond: number): Promise<void> {
    for (const end = this.now + seconds * 1_000; this.now < end; this.now += STEP_MS) {
      for (const sender of this.senders) await this.#send(sender);
      this.mostQueued = Math.max(this.mostQueued, this.queue.length);
      const ended = this.queue.splice(0, (perSecond * STEP_MS) / 1_000);
      await this.ledger.end(
        ended.map(({ jobId, requestId, identifier }) => ({
          outcome: {
            MessageId: `${jobId}-${requestId}`,
            JobId: jobId,
            RequestId: requestId,
            Identifier: identifier,
            Outcome: 'applied' as const,
            Attempts: 1,
            At: '2026-11-25T07:00:01.000Z',
          },
        })),
      );
    }
  }

  async #send({ job: begun, lease, pace, allowance, others }: Sender): Promise<void> {
    const found = await this.ledger.job(begun.jobId);
    if (found?.plan === undefined) throw new Error('not there');
    const job: PlannedJob = { ...found, plan: found.plan };
    const counts = await this.ledger.count(job.key);
    pace.observe(counts);
    const { beside, perSecond } = await others.look(pace);
    const { room, progress } = decideOn(job, counts, perSecond, { now: this.now, beside });
    const { progress: before } = job.plan;
    if (progress !== before) await this.ledger.setProgress(job.key, progress, before);
    const rows = await lease.claim(Math.min(room, allowance.rows(job.plan.settings.rate)));
    allowance.use(rows.length);
    const sent = rows.map((row) => ({ row: row.Row, messageId: `${job.jobId}-${requestIdOf(row)}` }));
    await lease.settle({ sent, refused: [], untouched: [], maybeTwice: 0 });
    if (job.jobId === this.losing) return;
    for (const row of rows)
      this.queue.push({ jobId: job.jobId, requestId: requestIdOf(row), identifier: row.Identifier });
  }

  async applied(): Promise<number[]> {
    return await Promise.all(this.senders.map(async ({ job }) => (await this.ledger.count(job.key)).applied));
  }
}

async function share(): Promise<Shared> {
  const folder = mkdtempSync(join(tmpdir(), 'shares-'));
  const ledger = await openFileLedger(folder, Date.now);
  onTestFinished(async () => {
    await ledger.close();
    rmSync(folder, { recursive: true });
  });
  return new Shared(ledger);
}

/** What a job is held by, as it is told, and the ends of each job per second that are right, at 100/s for all. */
const rule = parseAbortRule('failed>2%/200');
const ramp = parseRamp('50:x2/200');
const cases: readonly [string, readonly JobSettings[], readonly number[]][] = [
  ['nothing, 9 : 1', [{ priority: 9 }, { priority: 1 }], [90, 10]],
  ['nothing, 1 : 9', [{ priority: 1 }, { priority: 9 }], [10, 90]],
  ['nothing, 9 : 5 : 1', [{ priority: 9 }, { priority: 5 }, { priority: 1 }], [60, 33.3, 6.7]],
  ['large windows', [9, 1].map((priority) => ({ priority, window: 2_000 })), [90, 10]],
  ['a small window of the major', [{ priority: 9, window: 50 }, { priority: 1 }], [25, 75]],
  ['a small window of the minor', [{ priority: 9 }, { priority: 1, window: 5 }], [97.5, 2.5]],
  ['a rule of the major', [{ priority: 9, abortWhen: [rule] }, { priority: 1 }], [90, 10]],
  ['rules of both', [9, 1].map((priority) => ({ priority, abortWhen: [rule] })), [90, 10]],
  [
    'a strict rule of the major',
    [{ priority: 9, abortWhen: [parseAbortRule('failed>9')] }, { priority: 1 }],
    [5, 95],
  ],
  ['a ramp of the major', [{ priority: 9, ramp }, { priority: 1 }], [90, 10]],
  ['ramps of both', [9, 1].map((priority) => ({ priority, ramp })), [90, 10]],
  ['a ramp of the minor', [{ priority: 9 }, { priority: 1, ramp }], [90, 10]],
  ['a rate of the major', [{ priority: 9, rate: 20 }, { priority: 1 }], [20, 80]],
  ['a rate of the minor', [{ priority: 9 }, { priority: 1, rate: 4 }], [96, 4]],
  ['a rate that is more than its share', [{ priority: 9 }, { priority: 1, rate: 40 }], [90, 10]],
  ['a rate of one of three', [{ priority: 9, rate: 20 }, { priority: 3 }, { priority: 1 }], [20, 60, 20]],
  ['rates of all', [9, 5, 1].map((priority) => ({ priority, rate: 20 })), [20, 20, 20]],
  [
    'a soak',
    [{ priority: 9, canary: { rows: 10 }, soak: 3_600 }, { priority: 5 }, { priority: 1 }],
    [0, 83.3, 16.7],
  ],
];

/** One of each kind. */
const few = new Set([
  'nothing, 9 : 1',
  'a small window of the major',
  'a ramp of the major',
  'a rate of one of three',
]);

test.each(allCases() ? cases : cases.filter(([name]) => few.has(name)))(
  'jobs held by %s: each has its share, and what one cannot take goes to the others',
  async (_, settings, expected) => {
    const shared = await share();
    for (const [i, one] of settings.entries()) await shared.add(`job${i}`, 3_600, one);
    await shared.run(20, 100);
    const before = await shared.applied();
    // Whole windows: rows of a job may be close together in the queue.
    await shared.run(4 * WINDOW_SECONDS, 100);
    const perSecond = (await shared.applied()).map(
      (applied, i) => (applied - (before[i] ?? 0)) / (4 * WINDOW_SECONDS),
    );
    const wanted = expected.reduce((sum, one) => sum + one, 0);
    // Rounded shares are given to a tenth.
    expect(perSecond.reduce((sum, one) => sum + one, 0)).toBeGreaterThanOrEqual(wanted * 0.98);
    const ratio = (of: readonly number[], i: number): number => (of[i] ?? 0) / (of.at(-1) ?? 1);
    for (const i of expected.keys()) {
      expect(ratio(perSecond, i), `${perSecond}`).toBeGreaterThanOrEqual(ratio(expected, i) * 0.9);
      expect(ratio(perSecond, i), `${perSecond}`).toBeLessThanOrEqual(ratio(expected, i) * 1.1);
    }
  },
);

test('a job whose sender is gone takes no share: the other one has all of it until another process sends it', async () => {
  const shared = await share();
  await shared.add('sent', 100, { priority: 1 });
  await shared.add('left', 100, { priority: 9 });
  const [sent, left] = shared.senders;
  const besideSent = async (): Promise<number[] | undefined> => {
    shared.now += 1_000;
    return (sent && (await sent.others.look(sent.pace)))?.beside.others.map(({ priority }) => priority);
  };
  expect(await besideSent()).toEqual([9]);
  await left?.lease.release();
  expect(await besideSent()).toEqual([]);
  const again = await shared.ledger.lease(left?.job.key ?? 0);
  onTestFinished(async () => await again?.release());
  expect(await besideSent()).toEqual([9]);
});

test('a job has all of it when the other one has no rows left, and in flight is never more than ends in 4 s', async () => {
  const shared = await share();
  await shared.add('long', 4_000, { priority: 1 });
  await shared.add('short', 100, { priority: 9 });
  await shared.run(20, 100);
  const [before = 0] = await shared.applied();
  await shared.run(10, 100);
  const [after = 0, short] = await shared.applied();
  expect(short).toBe(100);
  expect(after - before).toBe(1_000);
  expect(shared.queue.length).toBeLessThanOrEqual(100 * WINDOW_SECONDS);
});

const waiting: readonly [string, JobSettings][] = [
  ['soaks', { canary: { rows: 10 }, soak: 3_600 }],
  ['waits for its devices', { canary: { rows: 10 }, verifyEach: true }],
  ['waits for confirmation', { canary: { rows: 10 }, confirmEach: true }],
  ['waits for its time', { startAt: 3_600_000 }],
];
test.each(waiting)('a job that %s takes no share: the other one has all of it', async (_, settings) => {
  const shared = await share();
  await shared.add('waits', 4_000, { priority: 9, ...settings });
  await shared.add('other', 4_000, { priority: 1 });
  await shared.run(20, 100);
  const [, before = 0] = await shared.applied();
  await shared.run(10, 100);
  const [, after = 0] = await shared.applied();
  expect(after - before).toBe(1_000);
  const [, other] = shared.senders;
  expect((other && (await other.others.look(other.pace)))?.beside.others).toEqual([]);
});

test('a job that waits for the ends of its stage still counts with what it has in flight', async () => {
  const shared = await share();
  await shared.add('staged', 4_000, { priority: 9, stages: { steps: [{ rows: 2_000 }] }, soak: 3_600 });
  await shared.add('other', 8_000, { priority: 1 });
  await shared.run(40, 100);
  const [staged] = await shared.applied();
  expect(staged).toBe(2_000);
  expect(shared.mostQueued).toBeLessThanOrEqual(450);
});

test('a job of whose rows none ends any more leaves its share to the other one after a minute', async () => {
  const shared = await share();
  await shared.add('lost', 1_000, { priority: 9 });
  await shared.add('other', 4_000, { priority: 1 });
  const [, other] = shared.senders;
  const besideOther = async (): Promise<number[] | undefined> =>
    (other && (await other.others.look(other.pace)))?.beside.others.map(({ priority }) => priority);
  await shared.run(10, 20);
  shared.losing = 'lost';
  await shared.run(50, 20);
  expect(await besideOther()).toEqual([9]);
  await shared.run(30, 20);
  expect(await besideOther()).toEqual([]);
});

const inWhichNoWorker: readonly [string, (shared: Shared, other: Sender) => Promise<void>][] = [
  [
    'a job beside it is cancelled',
    async ({ ledger }, { job }) => {
      await ledger.change(job.key, { event: 'cancel', who: 'a@b' });
      await ledger.cancelRows(job.key, 50_000);
    },
  ],
  [
    'rows of a job beside it are reconciled',
    async ({ ledger }, { job, lease }) => {
      const rows = await lease.claim(10_000);
      const sent = rows.map((row) => ({ row: row.Row, messageId: `lost-${requestIdOf(row)}` }));
      await lease.settle({ sent, refused: [], untouched: [], maybeTwice: 0 });
      const applied = rows.slice(5_000).map(({ Row }) => Row);
      const error = { name: 'ResourceNotFoundException', status: 404, message: 'no such task' };
      const gone = rows.slice(0, 5_000).map(({ Row: row }) => ({ row, error }));
      await lease.reconcile({ applied, again: [], gone });
      await ledger.change(job.key, { event: 'pause', who: 'a@b' });
    },
  ],
  [
    'SQS refuses rows of a job beside it',
    async ({ ledger }, { job, lease }) => {
      const refused = (await lease.claim(10_000)).map(({ Row: row }) => ({ row, reason: 'too long' }));
      await lease.settle({ sent: [], refused, untouched: [], maybeTwice: 0 });
      await ledger.change(job.key, { event: 'pause', who: 'a@b' });
    },
  ],
];
test.each(inWhichNoWorker)('what no worker ends is no rate: %s, and its window stays', async (_, happens) => {
  const shared = await share();
  await shared.add('running', 8_000, { priority: 5 });
  await shared.add('other', 20_000, { priority: 5 });
  const [, other] = shared.senders;
  if (other === undefined) throw new Error('not begun');
  await shared.run(20, 100);
  shared.mostQueued = 0;
  await happens(shared, other);
  await shared.run(20, 100);
  expect(shared.mostQueued).toBeLessThanOrEqual(450);
});

test('a job that another ledger gives up, with all of its ends, has no rate by that', async () => {
  const from = await share();
  await from.add('moved', 8_000, { priority: 5 });
  await from.run(40, 100);
  const [moved] = from.senders;
  if (moved === undefined) throw new Error('not begun');
  await moved.lease.release();
  const shared = await share();
  await shared.add('running', 8_000, { priority: 5 });
  await shared.run(20, 100);
  shared.mostQueued = 0;
  await from.ledger.change(moved.job.key, { event: 'move', who: 'a@b' });
  const text = (await Array.fromAsync(toText('moved', from.ledger.exportJob(moved.job.key, false)))).join('');
  const chunks = () => fromText('FILE', Readable.from([Buffer.from(text)]));
  await shared.ledger.importJob(chunks, { who: 'a@b', from: 'FILE', takeOver: false });
  await shared.run(20, 100);
  expect(shared.mostQueued).toBeLessThanOrEqual(450);
});

test('rows that are planned again take nothing from the rate', async () => {
  const shared = await share();
  await shared.add('retried', 8_000, { priority: 5 });
  await shared.add('other', 8_000, { priority: 5 });
  const [retried, other] = shared.senders;
  if (retried === undefined || other === undefined) throw new Error('not begun');
  await shared.run(20, 100);
  const rows = await retried.lease.claim(400);
  const sent = rows.map((row) => ({ row: row.Row, messageId: `f-${requestIdOf(row)}` }));
  await retried.lease.settle({ sent, refused: [], untouched: [], maybeTwice: 0 });
  await shared.ledger.end(
    rows.map((row) => ({
      outcome: {
        MessageId: `f-${requestIdOf(row)}`,
        JobId: 'retried',
        RequestId: requestIdOf(row),
        Identifier: row.Identifier,
        Outcome: 'dead-lettered' as const,
        Reason: 'Rejected' as const,
        Attempts: 1,
        At: '2026-11-25T07:00:01.000Z',
      },
    })),
  );
  await shared.run(20, 100);
  expect(await retried.lease.retryFailed(anotherTry)).toBe(400);
  await shared.run(2, 100);
  expect((await other.others.look(other.pace)).perSecond).toBeGreaterThan(90);
});
