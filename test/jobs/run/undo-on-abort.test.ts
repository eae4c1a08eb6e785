/** Which undo of a job is the one of this abort. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { PlannedJob } from '../../../src/jobs/ledger/job.ts';
import type { Ledger } from '../../../src/jobs/ledger/ledger.ts';
import { enterUndo } from '../../../src/jobs/run/undo-on-abort.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { openFileLedger } from '../../../testing/stages/file-ledger.ts';
import { newJob, now, taskRow } from '../ledger/contract.ts';

const who = 'ann@ops1';

async function ledgerIn(folder: string, wall: () => number): Promise<Ledger> {
  const ledger = await openFileLedger(folder, wall, 'create');
  onTestFinished(() => ledger.close());
  return ledger;
}

/** A job that a rule has stopped, and an undo of it that was entered by a machine whose clock is so far ahead. */
async function aborted(first: 'abort' | 'undo', aheadMs: number) {
  const folder = mkdtempSync(join(tmpdir(), 'undo-on-abort-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const ledger = await ledgerIn(folder, () => now);
  const other = await ledgerIn(folder, () => now + aheadMs);
  const { key } = await ledger.begin(newJob);
  await ledger.enter(key, [taskRow(1)]);
  await ledger.complete(key);
  await ledger.change(key, { event: 'release', who });
  const abort = () => ledger.change(key, { event: 'abort', who });
  if (first === 'abort') await abort();
  const undo = await other.begin({ ...newJob, jobId: 'j-undo', digest: 'sha256:2', undoes: 'j' });
  await other.complete(undo.key);
  if (first === 'undo') await abort();
  const job = await ledger.job('j');
  if (job?.plan === undefined) throw new Error('not begun');
  return { ledger, folder, job: { ...job, plan: job.plan } satisfies PlannedJob };
}

test.each([
  ['abort', -60_000, 'j-undo'],
  ['abort', 60_000, 'j-undo'],
  // There is nothing more to undo here: another one is none.
  ['undo', 60_000, undefined],
  ['undo', -60_000, undefined],
] as const)('with %s first, by a clock that is %d ms ahead, its undo is %s', async (first, aheadMs, undo) => {
  const { ledger, folder, job } = await aborted(first, aheadMs);
  const never = () => Promise.reject(new Error('no task is to be read'));
  const end = await enterUndo(job, {
    ledger,
    folder,
    who,
    clock: systemClock,
    signal: new AbortController().signal,
    reader: { get: never, list: never, configuration: never },
    stdin: process.stdin,
    rateLimit: 1,
    maxConcurrency: 1,
    say: () => {},
  });
  expect(end).toEqual({ undo });
});
