/**
 * Makes a plan: read every row, find out which ones a later row displaces, read the tasks if that is asked for, write
 * what is to be changed and what is left out. Nothing is sent.
 */
import { dirname, join, resolve } from 'node:path';
import { openSource } from '../../input/source.ts';
import { checkSetFields, type Rules } from '../../input/validate.ts';
import { changeOf, isAsWanted, toLeftOut } from './decisions.ts';
import { costOfReading } from './duration.ts';
import type { PlanContext, PlanOptions } from './options.ts';
import { type RefreshedRow, refresh } from './refresh.ts';
import { Refused } from './refused.ts';
import { fileRows, liveTasks, type SourceRow } from './sources.ts';
import { Staging } from './staging.ts';
import type { PlanReport } from './summary.ts';
import { PLAN_FORM } from './types.ts';
import { describeTasks } from './where.ts';
import { PlanWriter } from './writer.ts';

/**
 * Makes the plan that `options` ask for.
 * @returns how it went; undefined when it was interrupted, and then nothing was written.
 * @throws InputFault when nothing was done because file or flags are wrong; EnqueueFailure when file, disk or API
 * failed. Then, too, nothing was written.
 */
export async function makePlan(options: PlanOptions, context: PlanContext): Promise<PlanReport | undefined> {
  const rules: Rules = { set: options.set, startedAt: context.clock.wall() };
  checkSetFields(rules);
  const writer = new PlanWriter(resolve(context.cwd, options.out), options.out, options.force);
  const opened = await openRows(options, context, rules).catch((error: unknown) => {
    if (context.signal.aborted) return undefined;
    throw error;
  });
  if (opened === undefined) return undefined;
  const staging = new Staging();
  const refused = new Refused(resolve(context.cwd, opened.refusedPath));
  try {
    const check = context.check();
    const report = await plan({ options, context, rules, opened, writer, staging, refused });
    if (report === undefined) return undefined;
    return { ...report, warnings: [...report.warnings, ...(await check)] };
  } finally {
    context.progress.stop();
    writer.discard();
    refused.file.discard();
    staging.close();
    await opened.close();
  }
}

interface OpenedRows {
  readonly name: string;
  readonly refusedPath: string;
  readonly rows: AsyncIterable<SourceRow>;
  /** Of the file that is not used. */
  readonly unused: readonly string[];
  /** Rows looked at, once all are read; those that meet no condition included. */
  readonly seen: () => number;
  readonly close: () => Promise<void>;
}

async function openRows(options: PlanOptions, context: PlanContext, rules: Rules): Promise<OpenedRows> {
  const { from, refusedFile } = options;
  const { progress, reader } = context;
  let seen = 0;
  const unused: string[] = [];
  if ('conditions' in from) {
    progress.stage('listed');
    const onListed = (count: number): void => {
      seen = count;
      progress.update(count);
    };
    const { conditions } = from;
    return {
      name: describeTasks(conditions),
      refusedPath: refusedFile ?? join(dirname(options.out), `${options.jobId}.refused.csv`),
      rows: liveTasks({ reader, conditions, rules, onListed }),
      unused,
      seen: () => seen,
      close: async () => {},
    };
  }
  const source = await openSource(from.file, { ...context, format: from.format });
  progress.stage('reading   ', source.bytes);
  let bytes = 0;
  const onBytes = (count: number): void => {
    bytes += count;
    progress.update(bytes);
  };
  async function* counted(rows: AsyncIterable<SourceRow>): AsyncGenerator<SourceRow, undefined> {
    for await (const row of rows) {
      seen++;
      yield row;
    }
  }
  return {
    name: source.name,
    refusedPath: refusedFile ?? source.refusedPath,
    rows: counted(fileRows({ source, rules, onBytes, onUnused: (field) => unused.push(field) })),
    unused,
    seen: () => seen,
    close: () => source.close(),
  };
}

interface Making {
  readonly options: PlanOptions;
  readonly context: PlanContext;
  readonly rules: Rules;
  readonly opened: OpenedRows;
  readonly writer: PlanWriter;
  readonly staging: Staging;
  readonly refused: Refused;
}

async function plan(making: Making): Promise<PlanReport | undefined> {
  const { options, context, rules, opened, writer, staging, refused } = making;
  const { signal } = context;
  let staged = 0;
  for await (const row of opened.rows) {
    if (signal.aborted) return undefined;
    if ('reason' in row) staging.leaveOut(refused.add(row));
    else {
      staging.add(row);
      staged++;
    }
  }
  const duplicates = staging.seal();
  const createdAt = new Date(rules.startedAt).toISOString();
  writer.begin({ Plan: PLAN_FORM, JobId: options.jobId, CreatedAt: createdAt, Source: opened.name });

  let unread = 0;
  let done = 0;
  for await (const row of candidates(making, staged - duplicates.rows)) {
    if (signal.aborted) return undefined;
    if ('leftOut' in row) {
      writer.leaveOut(toLeftOut(row));
      continue;
    }
    context.progress.update(++done);
    if ('reason' in row) {
      writer.leaveOut(toLeftOut(refused.add(row)));
      continue;
    }
    const { line: _, ...candidate } = row.candidate;
    if ('unread' in row) unread++;
    if (!isAsWanted(candidate, candidate.Former)) writer.add(candidate);
    else {
      const { Identifier } = candidate;
      writer.leaveOut({ LeftOut: 'as-wanted', Identifier, ...changeOf(candidate) });
    }
  }
  if (signal.aborted) return undefined;
  const { counts } = writer;
  const refusedWritten = refused.file.finish();
  if (counts.toChange > 0) writer.finish();
  return {
    jobId: options.jobId,
    source: opened.name,
    kind: 'conditions' in options.from ? 'live' : 'file',
    rows: opened.seen(),
    plan: counts.toChange > 0 ? options.out : undefined,
    counts,
    duplicateIdentifiers: duplicates.identifiers,
    unread,
    refreshed: options.refresh,
    refusedFile: refusedWritten ? opened.refusedPath : undefined,
    reasons: refused.reasons.counts(),
    rateLimit: options.rateLimit,
    warnings: opened.unused.map((field) => `${field} in ${opened.name} is not used: a job gives its own`),
  };
}

/** All rows, those that count read first if that is asked for. */
async function* candidates(
  { options, context, staging }: Making,
  count: number,
): AsyncGenerator<RefreshedRow, undefined> {
  const { progress, signal, reader } = context;
  if (!options.refresh) {
    progress.stage('writing   ', count);
    for await (const row of staging.rows()) yield 'leftOut' in row ? row : { candidate: row };
    return;
  }
  context.say(`refresh: ${costOfReading(count, options.rateLimit)}`);
  progress.stage('refreshing', count);
  const conditions = 'conditions' in options.from ? options.from.conditions : undefined;
  const { maxConcurrency } = options;
  yield* refresh(staging.rows(), { reader, maxConcurrency, signal, conditions });
}
