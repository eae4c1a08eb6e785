/** Which jobs a process takes, and when it ends: over a real ledger, with a follower that sends nothing. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { Ledger } from '../../../src/jobs/ledger/ledger.ts';
import type { JobEvent } from '../../../src/jobs/ledger/state.ts';
import type { JobSettings } from '../../../src/jobs/rules/settings.ts';
import type { RunEnd } from '../../../src/jobs/run/run-job.ts';
import { sendDueJobs } from '../../../src/jobs/send/send-due-jobs.ts';
import { openFileLedger } from '../../../testing/stages/file-ledger.ts';
import { newJob, now, taskRow } from '../ledger/contract.ts';

const HOUR_MS = 3_600_000;

class Jobs {
  readonly ledger: Ledger;
  readonly #keys = new Map<string, number>();
  /** What happened, in its order. */
  readonly log: string[] = [];
  readonly #ends = new Map<string, (end: RunEnd) => void>();

  constructor(ledger: Ledger) {
    this.ledger = ledger;
  }

  async add(jobId: string, settings: JobSettings, ...events: readonly JobEvent[]): Promise<void> {
    const { ledger } = this;
    const { key } = await ledger.begin({ ...newJob, jobId, digest: jobId });
    this.#keys.set(jobId, key);
    await ledger.enter(key, [taskRow(1)]);
    await ledger.complete(key);
    await ledger.setSettings(key, { change: () => ({ settings }), who: 'a@b' });
    for (const event of events) await this.change(jobId, event);
  }

  async change(jobId: string, event: JobEvent): Promise<void> {
    await this.ledger.change(this.#keys.get(jobId) ?? 0, { event, who: 'a@b' });
  }

  /** The job is done. */
  async finish(jobId: string): Promise<void> {
    await this.change(jobId, 'finish');
    this.#ends.get(jobId)?.({ end: 'done', reason: undefined, maybeTwice: 0 });
    await this.left(jobId);
  }

  /** Another process has it. */
  async hold(jobId: string): Promise<void> {
    const lease = (await this.ledger.lease(this.#keys.get(jobId) ?? 0)) ?? expect.fail();
    onTestFinished(() => lease.release());
  }

  /** Resolves when no process has the job any more. */
  async left(jobId: string): Promise<void> {
    do await setImmediate();
    while (await this.ledger.isLeased(this.#keys.get(jobId) ?? 0));
  }

  /** @param looks what happens after each look; after the last one the process is told to end. */
  async send(
    options: { readonly once: boolean; readonly maxJobs: number; readonly now?: () => number },
    ...looks: readonly (() => Promise<void>)[]
  ): Promise<void> {
    const stop = new AbortController();
    const left = [...looks];
    await sendDueJobs({
      now: () => now,
      ...options,
      ledger: this.ledger,
      signal: stop.signal,
      random: () => 0,
      sleep: async () => {
        const next = left.shift();
        if (next === undefined) {
          this.log.push('told to end');
          stop.abort();
        } else await next();
      },
      follow: async ({ jobId }, _, signal) =>
        await new Promise<RunEnd>((resolve) => {
          this.#ends.set(jobId, resolve);
          signal.addEventListener('abort', () => resolve({ end: 'left', reason: undefined, maybeTwice: 0 }));
        }),
      onTaken: ({ jobId }) => this.log.push(`${jobId} taken`),
      onEnded: ({ jobId }, { end }) => this.log.push(`${jobId} ${end}`),
      onLeft: ({ jobId }) => this.log.push(`${jobId} is another's`),
      onFailed: ({ jobId }) => this.log.push(`${jobId} failed`),
      onLook: async () => {},
    });
  }
}

async function begin(): Promise<Jobs> {
  const folder = mkdtempSync(join(tmpdir(), 'due-'));
  const ledger = await openFileLedger(folder, () => now, 'create');
  onTestFinished(async () => {
    await ledger.close();
    rmSync(folder, { recursive: true });
  });
  return new Jobs(ledger);
}

test('with --once it ends when only jobs are left that are paused, or whose time has not come', async () => {
  const jobs = await begin();
  await jobs.add('later', { startAt: now + HOUR_MS }, 'release', 'wait');
  await jobs.add('held', {}, 'release', 'pause');
  await jobs.add('due', {}, 'release');
  await jobs.send({ once: true, maxJobs: 20 }, () => jobs.finish('due'));
  expect(jobs.log).toEqual(['due taken', 'due done']);
});

test('with --once it names the due jobs that another process has, at its end', async () => {
  const jobs = await begin();
  await jobs.add('held', {}, 'release');
  await jobs.add('due', {}, 'release');
  await jobs.hold('held');
  await jobs.send({ once: true, maxJobs: 20 }, () => jobs.finish('due'));
  expect(jobs.log).toEqual(['due taken', 'due done', "held is another's"]);
});

test.each<JobEvent>(['pause', 'wait'])(
  'with --once it leaves a job that it follows and that is not due any more: %s',
  async (event) => {
    const jobs = await begin();
    await jobs.add('held', { startAt: now + HOUR_MS }, 'release');
    await jobs.send({ once: true, maxJobs: 20 }, () => jobs.change('held', event));
    expect(jobs.log).toEqual(['held taken', 'held left']);
  },
);

test.each([
  ['has come', { startAt: now - 1 }],
  ['does not come before its deadline', { startAt: now + HOUR_MS, deadline: now + 1 }],
])('a job that waits for its time is due when that %s', async (_, settings) => {
  const jobs = await begin();
  await jobs.add('waited', settings, 'release', 'wait');
  await jobs.send({ once: true, maxJobs: 1 }, () => jobs.finish('waited'));
  expect(jobs.log).toEqual(['waited taken', 'waited done']);
});

test('due jobs are taken by priority, before those that are not due, whichever began first', async () => {
  const jobs = await begin();
  await jobs.add('held', { priority: 9 }, 'release', 'pause');
  await jobs.add('low', { priority: 1 }, 'release');
  await jobs.add('high', { priority: 8 }, 'release');
  await jobs.send(
    { once: false, maxJobs: 1 },
    () => jobs.finish('high'),
    () => jobs.finish('low'),
  );
  expect(jobs.log).toEqual([
    'high taken',
    'high done',
    'low taken',
    'low done',
    'held taken',
    'told to end',
    'held left',
  ]);
});

test('a followed job that is paused is left when a due one needs its place, and taken again when it is resumed', async () => {
  const jobs = await begin();
  await jobs.add('first', {}, 'release');
  await jobs.add('second', {}, 'release');
  await jobs.send(
    { once: false, maxJobs: 1 },
    () => jobs.change('first', 'pause'),
    async () => {
      await jobs.left('first');
      await jobs.change('first', 'resume');
      await jobs.finish('second');
    },
  );
  expect(jobs.log).toEqual([
    'first taken',
    'second taken',
    'first left',
    'second done',
    'first taken',
    'told to end',
    'first left',
  ]);
});

test('a paused job is not left for one that another process sends', async () => {
  const jobs = await begin();
  await jobs.add('held', {}, 'release', 'pause');
  await jobs.add('elsewhere', {}, 'release');
  const [, elsewhere] = await jobs.ledger.activeJobs();
  const lease = await jobs.ledger.lease(elsewhere?.key ?? 0);
  onTestFinished(async () => await lease?.release());
  await jobs.send({ once: false, maxJobs: 1 }, async () => {});
  expect(jobs.log).toEqual(['held taken', 'told to end', 'held left']);
});
