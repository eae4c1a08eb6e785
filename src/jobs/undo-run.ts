/** Makes the plan that takes a job back: reads every task that the job may have changed, and writes what it was before. */
import { dirname, join, resolve } from 'node:path';
import { changeOf } from './plan-decisions.ts';
import { costOfReading } from './plan-duration.ts';
import type { PlanContext, PlanOptions } from './plan-options.ts';
import { readTasks } from './plan-refresh.ts';
import { Refused } from './plan-refused.ts';
import { type Candidate, Staging } from './plan-staging.ts';
import type { PlanReport } from './plan-summary.ts';
import type { PlanCounts } from './plan-types.ts';
import { PlanWriter } from './plan-writer.ts';
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
    const { rows, staged, unchanged } = stage(context.rows(), staging, refused);
    context.say(`undo: ${costOfReading(staged, options.rateLimit)}`);
    context.progress.stage('reading   ', staged);
    const createdAt = new Date(context.clock.wall()).toISOString();
    const Source = `undo of ${options.undone}`;
    writer.begin({ Plan: 1, JobId: jobId, CreatedAt: createdAt, Source });
    const asBefore = await putBack({ staging, writer, refused, options, context });
    if (context.signal.aborted) return undefined;
    const counts: PlanCounts = {
      toChange: writer.rows,
      alreadyAsWanted: unchanged + asBefore,
      refused: refused.reasons.total,
      duplicates: 0,
    };
    const refusedWritten = refused.file.finish();
    if (counts.toChange > 0) writer.finish(counts);
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
): { readonly rows: number; readonly staged: number; readonly unchanged: number } {
  let count = 0;
  let staged = 0;
  let unchanged = 0;
  for (const row of rows) {
    count++;
    const changed = mayHaveChanged(row);
    if (changed === false) unchanged++;
    else if (changed !== true) refused.add({ line: row.row, raw: rawOf(row), reason: changed.reason });
    else {
      staged++;
      staging.add(toCandidate(row));
    }
  }
  staging.seal();
  return { rows: count, staged, unchanged };
}

interface PuttingBack {
  readonly staging: Staging;
  readonly writer: PlanWriter;
  readonly refused: Refused;
  readonly options: UndoOptions;
  readonly context: UndoContext;
}

/** @returns how many rows have nothing to put back. */
async function putBack({ staging, writer, refused, options, context }: PuttingBack): Promise<number> {
  const { signal, reader, progress } = context;
  const { maxConcurrency } = options;
  let asBefore = 0;
  let done = 0;
  const rows = readTasks(staging.winners(), ({ Identifier }) => Identifier, {
    reader,
    maxConcurrency,
    signal,
  });
  for await (const { item, answer } of rows) {
    progress.update(++done);
    const row = toJobRow(item);
    const { change, former, faults } = decideUndo(row, answer);
    const undoable = Object.keys(change).length > 0;
    if (undoable) writer.add({ Identifier: row.identifier, ...change, Former: former });
    if (faults.length > 0) refused.add({ line: row.row, raw: rawOf(row), reason: faults.join('; ') });
    else if (!undoable) asBefore++;
  }
  return asBefore;
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

function toJobRow({ line, Identifier, Former, state = '', ...rest }: Candidate): JobRow {
  return { row: line, identifier: Identifier, change: changeOf(rest), former: Former, state };
}

function rawOf({ identifier, change }: JobRow): string {
  return JSON.stringify({ Identifier: identifier, ...change });
}
