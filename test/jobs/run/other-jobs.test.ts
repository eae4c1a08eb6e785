/** Several jobs at once, each with a sender of its own, over one queue: in virtual time, with a real ledger. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { PlannedJob } from '../../../src/jobs/ledger/job.ts';
import type { Lease, Ledger } from '../../../src/jobs/ledger/ledger.ts';
import { requestIdOf } from '../../../src/jobs/ledger/row.ts';
import { openLedger } from '../../../src/jobs/ledger/sqlite/ledger.ts';
import type { JobSettings } from '../../../src/jobs/rules/settings.ts';
import { OtherJobs } from '../../../src/jobs/run/other-jobs.ts';
import { decideOn, Pace } from '../../../src/jobs/run/progress.ts';
import { newJob } from '../ledger/contract.ts';

const STEP_MS = 250;

interface Sender {
  readonly job: PlannedJob;
  readonly lease: Lease;
  readonly pace: Pace;
  readonly others: OtherJobs;
}

class Shared {
  readonly ledger: Ledger;
  now = 0;
  readonly senders: Sender[] = [];
  mostQueued = 0;
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
    this.senders.push({ job, lease, pace: new Pace(now, 0), others });
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

  async #send({ job: begun, lease, pace, others }: Sender): Promise<void> {
    const found = await this.ledger.job(begun.jobId);
    if (found?.plan === undefined) throw new Error('not there');
    const job: PlannedJob = { ...found, plan: found.plan };
    const counts = await this.ledger.count(job.key);
    pace.observe(counts.ended);
    const beside = await others.look(job.plan.settings);
    const { room, progress } = decideOn(job, counts, pace.perSecond, { now: this.now, ...beside });
    if (progress !== job.plan.progress) await this.ledger.setProgress(job.key, progress);
    const rows = await lease.claim(room);
    const sent = rows.map((row) => ({ row: row.Row, messageId: `${job.jobId}-${requestIdOf(row)}` }));
    await lease.settle({ sent, refused: [], untouched: [], maybeTwice: 0 });
    for (const row of rows)
      this.queue.push({ jobId: job.jobId, requestId: requestIdOf(row), identifier: row.Identifier });
  }

  async applied(): Promise<number[]> {
    return await Promise.all(this.senders.map(async ({ job }) => (await this.ledger.count(job.key)).applied));
  }
}

async function share(): Promise<Shared> {
  const folder = mkdtempSync(join(tmpdir(), 'shares-'));
  const ledger = await openLedger(folder, Date.now);
  onTestFinished(async () => {
    await ledger.close();
    rmSync(folder, { recursive: true });
  });
  return new Shared(ledger);
}

test.each<[string, JobSettings]>([
  ['by themselves', {}],
  ['with large windows of their own', { window: 2_000 }],
])(
  'two jobs at priorities 9 and 1, %s: rows end 9 : 1 within 10%, neither starves, and together they lose no time',
  async (_, settings) => {
    const shared = await share();
    await shared.add('major', 6_000, { priority: 9, ...settings });
    await shared.add('minor', 6_000, { priority: 1, ...settings });
    await shared.run(30, 100);
    const [from9 = 0, from1 = 0] = await shared.applied();
    await shared.run(20, 100);
    const [to9 = 0, to1 = 0] = await shared.applied();
    const [major, minor] = [to9 - from9, to1 - from1];
    expect(major + minor).toBe(2_000);
    expect(major / minor).toBeGreaterThan(9 * 0.9);
    expect(major / minor).toBeLessThan(9 * 1.1);
    expect(from1).toBeGreaterThan(0);
  },
);

test('a job whose sender is gone takes no share: the other one has all of it until another process sends it', async () => {
  const shared = await share();
  await shared.add('sent', 100, { priority: 1 });
  await shared.add('left', 100, { priority: 9 });
  const [sent, left] = shared.senders;
  const shareOfSent = async (): Promise<number | undefined> => {
    shared.now += 1_000;
    return (await sent?.others.look({ priority: 1 }))?.share;
  };
  expect(await shareOfSent()).toBe(0.1);
  await left?.lease.release();
  expect(await shareOfSent()).toBe(1);
  const again = await shared.ledger.lease(left?.job.key ?? 0);
  onTestFinished(async () => await again?.release());
  expect(await shareOfSent()).toBe(0.1);
});

test('a job has all of it when the other one has no rows left, and in flight is never more than ends in 10 s', async () => {
  const shared = await share();
  await shared.add('long', 4_000, { priority: 1 });
  await shared.add('short', 100, { priority: 9 });
  await shared.run(20, 100);
  const [before = 0] = await shared.applied();
  await shared.run(10, 100);
  const [after = 0, short] = await shared.applied();
  expect(short).toBe(100);
  expect(after - before).toBe(1_000);
  expect(shared.queue.length).toBeLessThanOrEqual(1_000);
});

const waiting: readonly [string, JobSettings][] = [
  ['soaks', { canary: { rows: 10 }, soak: 3_600 }],
  ['waits for its devices', { canary: { rows: 10 }, verifyEach: true }],
  ['waits for a word', { canary: { rows: 10 }, confirmEach: true }],
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
  expect((await shared.senders[1]?.others.look({ priority: 1 }))?.share).toBe(1);
});

test('a job that waits for the ends of its stage still counts with what it has in flight', async () => {
  const shared = await share();
  await shared.add('staged', 4_000, { priority: 9, stages: { steps: [{ rows: 2_000 }] }, soak: 3_600 });
  await shared.add('other', 8_000, { priority: 1 });
  await shared.run(40, 100);
  const [staged] = await shared.applied();
  expect(staged).toBe(2_000);
  expect(shared.mostQueued).toBeLessThanOrEqual(1_050);
});
