/**
 * The undo of a job that a rule has stopped (`--undo-on-abort`). It is made when nothing of the job is in flight any more, and entered
 * in the ledger as a separate job before the job comes to rest. After a kill, the next process thus sees that the undo is missing.
 *
 * The undo restores what the job set in tasks. Firmware that devices have installed by then stays on them.
 */
import { join } from 'node:path';
import { CommandError, messageOf, misuse } from '../../errors.ts';
import { makePrivateFolder } from '../../files/private.ts';
import { number } from '../../text/numbers.ts';
import { printable, shortPrintable } from '../../text/printable.ts';
import type { JobRecord, PlannedJob } from '../ledger/job.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type Plan, readPlan } from '../plan/reader.ts';
import { makeUndo, type UndoContext } from '../plan/undo.ts';
import type { JobSettings } from '../rules/settings.ts';
import { enterJob, enterRest, enterRows } from './enter.ts';

export interface UndoOnAbortOptions
  extends Pick<UndoContext, 'clock' | 'signal' | 'reader' | 'say'>,
    Pick<Parameters<typeof enterRest>[2], 'stdin'> {
  readonly ledger: Ledger;
  /** Folder for its plan: STATE_DIR, absolute. */
  readonly folder: string;
  readonly who: string;
  /** For reading tasks. */
  readonly rateLimit: number;
  readonly maxConcurrency: number;
}

/** High priority: other jobs wait for an undo. */
const settings: JobSettings = { priority: 9 };
/** A job never has this many undos in one ledger. */
const MAX_UNDOS = 100;
/** A longer name plus the ending would not be a valid job name. */
const MAX_NAME = 120;

/** Whether a job that is being stopped must be undone before it comes to rest. PURE. */
export function awaitsUndo({ plan }: JobRecord): boolean {
  return plan?.settings.undoOnAbort === true && plan.state.towards === 'aborted';
}

/** @throws CommandError if the settings require an undo but the job has no former values. */
export async function requireFormer(
  ledger: Pick<Ledger, 'hasFormer'>,
  { key, jobId }: Pick<JobRecord, 'key' | 'jobId'>,
  { undoOnAbort }: JobSettings,
): Promise<void> {
  if (undoOnAbort === true && !(await ledger.hasFormer(key))) throw withoutFormer(jobId);
}

/** The same check for a plan, before anything of it is in the ledger. */
export function requireFormerIn(
  { header, hasFormer }: Pick<Plan, 'header' | 'hasFormer'>,
  { undoOnAbort }: JobSettings,
): void {
  if (undoOnAbort === true && !hasFormer) throw withoutFormer(printable(header.JobId));
}

function withoutFormer(jobId: string): CommandError {
  return misuse(
    `--undo-on-abort: job ${jobId} could not be undone, as its plan did not read the values that it replaces. ` +
      'Nothing was sent. Make the plan again with --refresh and another --job, or leave --undo-on-abort out.',
  );
}

/**
 * Enters and releases the undo of a job for which {@link awaitsUndo} holds.
 * @returns its name; undefined if there is nothing to undo; `not yet` if it was interrupted.
 * @throws CommandError if tasks cannot be read, or the plan cannot be written: then nothing is entered.
 */
export async function enterUndo(
  job: PlannedJob,
  options: UndoOnAbortOptions,
): Promise<{ readonly undo: string | undefined } | 'not yet'> {
  const { ledger, signal } = options;
  for (const name of namesOf(job.jobId)) {
    const found = await ledger.job(name);
    if (found === undefined) return await makeAndEnter(job, name, options);
    // The job is known only by its outcomes: another ledger has its plan.
    if (found.plan === undefined) continue;
    const undo: PlannedJob = { ...found, plan: found.plan };
    if (!(await isUndoOf(job, undo, ledger))) continue;
    const file = { cwd: options.folder, stdin: options.stdin, signal };
    // Begun on another machine, which has the plan file, it cannot be completed here. It stays incomplete and sends nothing.
    const whole = await enterRest(ledger, undo, file).catch(() => undefined);
    if (whole === undefined) continue;
    return whole ? await release(undo, options) : 'not yet';
  }
  return { undo: undefined };
}

function* namesOf(jobId: string): Generator<string> {
  const base = `${jobId.slice(0, MAX_NAME)}-undo`;
  yield base;
  for (let i = 2; i <= MAX_UNDOS; i++) yield `${base}-${i}`;
}

/**
 * Whether the undo was begun after the job was stopped: the job may have been undone and resumed before. The log of changes gives the
 * order, even if the clocks of two machines disagree.
 */
async function isUndoOf(
  { jobId }: PlannedJob,
  { jobId: name, plan }: PlannedJob,
  ledger: Pick<Ledger, 'lastAudit'>,
): Promise<boolean> {
  if (plan.undoes !== jobId) return false;
  const begun = await ledger.lastAudit(name, 'begin', 'import');
  const aborted = await ledger.lastAudit(jobId, 'abort', 'abort');
  return begun !== undefined && begun.seq > (aborted?.seq ?? 0);
}

async function makeAndEnter(
  job: PlannedJob,
  name: string,
  options: UndoOnAbortOptions,
): ReturnType<typeof enterUndo> {
  const { ledger, folder, signal, say } = options;
  // With a ledger in PostgreSQL, the folder may not exist yet.
  keepIn(folder);
  const out = join(folder, `${name}.plan.jsonl`);
  const report = await makeUndo(
    {
      undone: job.jobId,
      jobId: name,
      out,
      force: true,
      refusedFile: join(folder, `${name}.refused.csv`),
      rateLimit: options.rateLimit,
      maxConcurrency: options.maxConcurrency,
    },
    {
      ...options,
      cwd: folder,
      // The terminal shows the job.
      progress: { stage: () => {}, update: () => {}, stop: () => {} },
      check: async () => [],
      measuredRate: () => ledger.measuredRate(),
      pages: () => ledger.pages(job.key),
    },
  );
  if (report === undefined) return 'not yet';
  const { toChange, refused } = report.counts;
  if (report.plan === undefined) {
    const unread = report.reasons.find(({ reason }) => reason.startsWith('cannot be read'));
    if (unread === undefined) return { undo: undefined };
    throw new CommandError(`No task can be restored: ${unread.reason}.`);
  }
  const cannot = refused === 0 ? '' : `; ${number(refused)} rows cannot be undone: ${report.refusedFile}`;
  say(`undo of ${job.jobId}: ${number(toChange)} tasks to restore, as job ${name}${cannot}`);
  const plan = await readPlan(out, { cwd: folder, stdin: options.stdin, signal });
  try {
    const entered = await enterJob(ledger, plan, out, deedOf(options.who));
    return (await enterRows(ledger, entered, plan, signal)) ? await release(entered, options) : 'not yet';
  } finally {
    await plan.close();
  }
}

/** @throws CommandError if the folder cannot be created. */
function keepIn(folder: string): void {
  try {
    makePrivateFolder(folder);
  } catch (error) {
    throw new CommandError(
      `Its plan cannot be kept in ${shortPrintable(folder, 300)}: ${messageOf(error)}. Name a folder in STATE_DIR that can be written.`,
    );
  }
}

function deedOf(who: string) {
  return { who: `${who}, a rule`, why: 'A rule stopped the job that it undoes' };
}

async function release(
  { key, jobId }: PlannedJob,
  { ledger, who }: UndoOnAbortOptions,
): Promise<{ readonly undo: string }> {
  const deed = deedOf(who);
  await ledger.setSettings(key, { change: () => ({ settings }), ...deed });
  await ledger.change(key, { event: 'release', ...deed });
  return { undo: jobId };
}
