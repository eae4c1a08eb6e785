/** What people do to a job, at the same time. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { PlannedJob } from '../../../src/jobs/ledger/job.ts';
import type { Lease, Ledger } from '../../../src/jobs/ledger/ledger.ts';
import { parseAbortRule } from '../../../src/jobs/rules/abort-rules.ts';
import type { Unsettable } from '../../../src/jobs/rules/given.ts';
import type { JobSettings } from '../../../src/jobs/rules/settings.ts';
import { letGoOn, reconcileRows, retryFailed, setJob } from '../../../src/jobs/steer/act.ts';
import { releaseJob } from '../../../src/jobs/steer/release.ts';
import { openFileLedger } from '../../../testing/stages/file-ledger.ts';
import { leaseOf, newJob, now, taskRow } from '../ledger/contract.ts';

async function begun(): Promise<{ readonly ledger: Ledger; readonly job: PlannedJob }> {
  const folder = mkdtempSync(join(tmpdir(), 'act-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const ledger = await openFileLedger(folder, () => now, 'create');
  onTestFinished(() => ledger.close());
  const job = await ledger.begin(newJob);
  await ledger.enter(job.key, [taskRow(1)]);
  await ledger.complete(job.key);
  return { ledger, job };
}

const settingsOf = async (ledger: Ledger) => (await ledger.job('j'))?.plan?.settings;

test('two who set something at once, each with the job as it was before, lose nothing', async () => {
  const { ledger, job } = await begun();
  await setJob(ledger, job, { given: { window: 50 }, unset: [], now }, { who: 'ann@ops1' });
  await setJob(ledger, job, { given: { rate: 9 }, unset: [], now }, { who: 'bob@ops2' });
  expect(await settingsOf(ledger)).toEqual({ window: 50, rate: 9 });
  await setJob(ledger, job, { given: {}, unset: ['window'], now }, { who: 'ann@ops1' });
  expect(await settingsOf(ledger)).toEqual({ rate: 9 });
});

test('what a job has already is no change: it is said, and no line is written', async () => {
  const { ledger, job } = await begun();
  const deed = { who: 'ann@ops1' };
  const abortWhen = [parseAbortRule('failed>2%/200')];
  const set = (given: JobSettings, unset: readonly Unsettable[] = []) =>
    setJob(ledger, job, { given, unset, now }, deed);
  expect(await set({ rate: 6, abortWhen })).toBe(true);
  expect(await set({ rate: 6 })).toBe(false);
  expect(await set({ rate: 6, abortWhen: [parseAbortRule('failed>2%/200')] })).toBe(false);
  expect(await set({}, ['window'])).toBe(false);
  expect((await ledger.audit(9, 'j')).map(({ what }) => what)).toEqual(['set', 'begin']);
  // Some of it is new.
  expect(await set({ rate: 6, window: 50 }, ['soak'])).toBe(true);
  expect((await ledger.audit(9, 'j')).map(({ what }) => what)).toEqual(['set', 'set', 'begin']);
});

test('what would contradict what another has set meanwhile is refused, and changes nothing', async () => {
  const { ledger, job } = await begun();
  await setJob(ledger, job, { given: { window: 50 }, unset: [], now }, { who: 'ann@ops1' });
  const ramp = { from: 50, factor: 2, after: 200 };
  await expect(setJob(ledger, job, { given: { ramp }, unset: [], now }, { who: 'bob@ops2' })).rejects.toThrow(
    '--ramp never grows',
  );
  expect(await settingsOf(ledger)).toEqual({ window: 50 });
});

test('settings that a job is released with are in the audit, with who gave them and why', async () => {
  const { ledger, job } = await begun();
  await releaseJob(ledger, job, { given: { window: 50 }, now }, { who: 'ann@ops1', why: 'slowly' });
  expect(await settingsOf(ledger)).toEqual({ window: 50 });
  expect((await ledger.audit(9, 'j')).find(({ what }) => what === 'set')).toMatchObject({
    who: 'ann@ops1',
    why: 'slowly',
    detail: { from: {}, to: { window: 50 } },
  });
});

test('a job that is released with nothing given has no line that says so', async () => {
  const { ledger, job } = await begun();
  await releaseJob(ledger, job, { given: {}, now }, { who: 'ann@ops1' });
  expect((await ledger.audit(9, 'j')).map(({ what }) => what)).toEqual(['release', 'begin']);
});

/** A job whose only row SQS has refused, and its lease. */
async function refused() {
  const { ledger, job } = await begun();
  const lease = await leaseOf(ledger, job.key);
  const [row] = await lease.claim(1);
  await lease.settle({
    sent: [],
    refused: [{ row: row?.Row ?? 0, reason: 'too large' }],
    untouched: [],
    maybeTwice: 0,
  });
  await releaseJob(ledger, job, { given: {}, now }, { who: 'ann@ops1' });
  const found = async (): Promise<PlannedJob> => ((await ledger.job('j')) ?? expect.fail()) as PlannedJob;
  const content = async () => ({
    job: await ledger.job('j'),
    counts: await ledger.count(job.key),
    log: await ledger.audit(9),
  });
  return { ledger, key: job.key, lease, found, content };
}

const killed = () => Promise.reject(new Error('killed'));

test('a retry is one step: its state, its rows and where it counts from', async () => {
  const { ledger, key, lease, found, content } = await refused();
  await ledger.change(key, { event: 'finish', who: 'ann@ops1' });
  const before = await content();
  const job = await found();
  const retry = (by: Pick<Lease, 'retryFailed'>) =>
    retryFailed(ledger, by, job, { given: {}, now }, { who: 'a@b', why: 'again' }, 'resume');
  await expect(retry({ retryFailed: killed })).rejects.toThrow('killed');
  expect(await content()).toEqual(before);
  expect(await retry(lease)).toBe(1);
  const { plan } = await found();
  expect(plan.state).toMatchObject({ name: 'running', who: 'a@b', why: 'again' });
  expect(plan.progress).toMatchObject({ failed: 0, stageAfter: await ledger.lastSent(key) });
  expect(await ledger.count(key)).toMatchObject({ planned: 1, failed: 0 });
  expect((await ledger.audit(1))[0]).toMatchObject({ what: 'retry', who: 'a@b', why: 'again' });
});

test('rows of a job that runs already count from their retry on, too', async () => {
  const { ledger, key, lease, found } = await refused();
  const { progress } = (await found()).plan;
  await ledger.setProgress(key, { ...progress, failed: 1 }, progress);
  expect(await retryFailed(ledger, lease, await found(), { given: {}, now }, { who: 'a@b' }, 'resume')).toBe(
    1,
  );
  const { plan } = await found();
  expect([plan.state.who, plan.progress.failed]).toEqual(['ann@ops1', 0]);
});

test('a job that a rule has stopped goes on, and counts from there, in one step', async () => {
  const { ledger, key, found, content } = await refused();
  for (const event of ['abort', 'settle'] as const) await ledger.change(key, { event, who: 'a rule' });
  const before = await content();
  const job = await found();
  const resume = (by: Partial<Ledger>) => {
    const { count, lastSent, setSettings, hasFormer, change } = ledger;
    const bound = { count, lastSent, setSettings, hasFormer, change };
    for (const [name, method] of Object.entries(bound)) Object.assign(bound, { [name]: method.bind(ledger) });
    return letGoOn({ ...bound, ...by }, job, { given: {}, now }, { who: 'a@b' });
  };
  await expect(resume({ change: killed })).rejects.toThrow('killed');
  expect(await content()).toEqual(before);
  expect(await resume({})).toBe(true);
  const { plan } = await found();
  expect([plan.state.name, plan.progress.failed]).toEqual(['running', 1]);
  expect(plan.progress.stageAfter).toBe(await ledger.lastSent(key));
});

test('a job that a rule has stopped is reconciled as it is resumed: the rule counts from there', async () => {
  const { ledger, key, lease, found } = await refused();
  for (const event of ['abort', 'settle'] as const) await ledger.change(key, { event, who: 'a rule' });
  const reader = { get: () => expect.fail('every row has ended') };
  const read = { reader, maxConcurrency: 1, signal: new AbortController().signal };
  await reconcileRows(ledger, lease, await found(), { given: {}, now }, { who: 'a@b' }, read);
  const { plan } = await found();
  expect([plan.state.name, plan.progress.failed]).toEqual(['running', 1]);
  expect(plan.progress.stageAfter).toBe(await ledger.lastSent(key));
});

describe('a job that was cancelled', () => {
  async function cancelled(): Promise<{
    readonly ledger: Ledger;
    readonly job: PlannedJob;
    readonly lease: Lease;
  }> {
    const { ledger, job } = await begun();
    const lease = await leaseOf(ledger, job.key);
    const [row] = await lease.claim(1);
    const refused = [{ row: row?.Row ?? 0, reason: 'too large' }];
    await lease.settle({ sent: [], refused, untouched: [], maybeTwice: 0 });
    await ledger.change(job.key, { event: 'cancel', who: 'ann@ops1' });
    const found = await ledger.job('j');
    if (found?.plan === undefined) throw new Error('not begun');
    return { ledger, job: { ...found, plan: found.plan }, lease };
  }

  test('has no failed rows tried again: they would be planned for good', async () => {
    const { ledger, job, lease } = await cancelled();
    await expect(
      retryFailed(ledger, lease, job, { given: {}, now }, { who: 'ann@ops1' }, 'resume'),
    ).rejects.toThrow('is final');
    expect(await ledger.count(job.key)).toMatchObject({ planned: 0, failed: 1 });
  });

  test('is not set', async () => {
    const { ledger, job } = await cancelled();
    await expect(setJob(ledger, job, { given: { rate: 9 }, unset: [], now }, { who: 'b@c' })).rejects.toThrow(
      'is final',
    );
  });
});

test('a job whose time has not come is scheduled from its release on', async () => {
  const { ledger, job } = await begun();
  await releaseJob(ledger, job, { given: { startAt: now + 60_000 }, now }, { who: 'ann@ops1' });
  expect((await ledger.job('j'))?.plan?.state).toMatchObject({
    name: 'scheduled',
    why: 'It sends from 2026-11-25 07:01:00 UTC on',
  });
});
