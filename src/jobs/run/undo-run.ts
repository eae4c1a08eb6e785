/** Makes the plan that takes a job back: reads every task that the job may have changed, and writes what it was before. */
import { dirname, join, resolve } from 'node:path';
import type { RefusedRow } from '../../input/validate.ts';
import { changeOf, toLeftOut } from '../plan/decisions.ts';
import { costOfReading } from '../plan/duration.ts';
import type { PlanContext, PlanOptions } from '../plan/options.ts';
import { readSome } from '../plan/refresh.ts';
import { Refused } from '../plan/refused.ts';
import { type Candidate, type StagedRow, Staging } from '../plan/staging.ts';
import type { PlanReport } from '../plan/summary.ts';
import { PLAN_FORM, type PlanCounts } from '../plan/types.ts';
import { PlanWriter } from '../plan/writer.ts';
import { decideUndo, type JobRow, mayHaveChanged } from './undo.ts';

export interface UndoOptions
  extends Pick<PlanOptions, 'jobId' | 'out' | 'force' | 'refusedFile' | 'rateLimit' | 'maxConcurrency'> {
  /** The job to undo. */
  readonly undone: string;
}

export type UndoContext = Pick<
  PlanContext,
  'cwd' | 'clock' | 'signal' | 'reader' | 'progress' | 'say' | 'check'
> & {
  /** All rows of the job, in order; read once, before the first task is. */
  readonly rows: () => Iterable<JobRow>;
};

/** Returns and throws as `makePlan` does. */
export async function makeUndo(options: UndoOptions, context: UndoContext): Promise<PlanReport | undefined> {
  const { out, jobId } = options;
  const writer = new PlanWriter(resolve(context.cwd, out), out, options.force);
  const refusedPath = options.refusedFile ?? join(dirname(out), `${jobId}.refused.csv`);
  const refused = new Refused(resolve(context.cwd, refusedPath));
  const staging = new Staging();
  try {
    const check = context.check();
    const { rows, staged } = stage(context.rows(), staging, refused);
    context.say(`undo: ${costOfReading(staged, options.rateLimit)}`);
    context.progress.stage('reading   ', staged);
    const createdAt = new Date(context.clock.wall()).toISOString();
    const Source = `undo of ${options.undone}`;
    writer.begin({ Plan: PLAN_FORM, JobId: jobId, CreatedAt: createdAt, Source });
    await putBack({ staging, writer, refused, options, context });
    if (context.signal.aborted) return undefined;
    // A row of which one field can be put back and another cannot is in the plan, and among the refused ones.
    const counts: PlanCounts = { ...writer.counts, refused: refused.reasons.total };
    const refusedWritten = refused.file.finish();
    if (counts.toChange > 0) writer.finish();
    return {
      jobId,
      source: Source,
      kind: 'undo',
      rows,
      plan: counts.toChange > 0 ? out : undefined,
      counts,
      duplicateIdentifiers: 0,
      unread: 0,
      refreshed: true,
      refusedFile: refusedWritten ? refusedPath : undefined,
      reasons: refused.reasons.counts(),
      rateLimit: options.rateLimit,
      warnings: await check,
    };
  } finally {
    context.progress.stop();
    writer.discard();
    refused.file.discard();
    staging.close();
  }
}

/** Takes the rows that may have changed their task. A job names a task once: none displaces another. */
function stage(
  rows: Iterable<JobRow>,
  staging: Staging,
  refused: Refused,
): { readonly rows: number; readonly staged: number } {
  let count = 0;
  let staged = 0;
  for (const row of rows) {
    count++;
    const changed = mayHaveChanged(row);
    const { row: line, identifier: Identifier } = row;
    if (changed === false) {
      staging.leaveOut({ line, leftOut: 'as-wanted', Identifier, reason: 'the job did not change its task' });
    } else if (changed !== true) staging.leaveOut(refused.add(refusedRow(row, changed.reason)));
    else {
      staged++;
      staging.add(toCandidate(row));
    }
  }
  staging.seal();
  return { rows: count, staged };
}

interface PuttingBack {
  readonly staging: Staging;
  readonly writer: PlanWriter;
  readonly refused: Refused;
  readonly options: UndoOptions;
  readonly context: UndoContext;
}

async function putBack({ staging, writer, refused, options, context }: PuttingBack): Promise<void> {
  const { signal, reader, progress } = context;
  const { maxConcurrency } = options;
  let done = 0;
  const identifierOf = (row: StagedRow): string | undefined =>
    'leftOut' in row ? undefined : row.Identifier;
  const rows = readSome(staging.rows(), identifierOf, { reader, maxConcurrency, signal });
  for await (const { item, answer } of rows) {
    if ('leftOut' in item) {
      writer.leaveOut(toLeftOut(item));
      continue;
    }
    if (answer === undefined) continue;
    progress.update(++done);
    const row = toJobRow(item);
    const { change, former, faults } = decideUndo(row, answer);
    const undoable = Object.keys(change).length > 0;
    if (undoable) writer.add({ Identifier: row.identifier, ...change, Former: former });
    const cannot = faults.length > 0 ? refused.add(refusedRow(row, faults.join('; '))) : undefined;
    if (undoable) continue;
    const asBefore = { line: row.row, leftOut: 'as-wanted', Identifier: row.identifier } as const;
    writer.leaveOut(toLeftOut(cannot ?? asBefore));
  }
}

function toCandidate({ row, identifier, change, former, state }: JobRow): Candidate {
  return {
    line: row,
    Identifier: identifier,
    ...change,
    ...(former !== undefined && { Former: former }),
    state,
  };
}

function toJobRow({ line, Identifier, Former, state = '', ...rest }: Candidate): Omit<JobRow, 'sends'> {
  return { row: line, identifier: Identifier, change: changeOf(rest), former: Former, state };
}

function refusedRow(
  { row, identifier, change }: Omit<JobRow, 'sends' | 'state'>,
  reason: string,
): RefusedRow {
  const raw = JSON.stringify({ Identifier: identifier, ...change });
  return { line: row, raw, reason, identifier };
}
