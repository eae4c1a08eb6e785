/**
 * Makes a plan: reads every row, finds the duplicates, reads the tasks if that is asked for, and writes what is to be
 * changed and what is left out. Nothing is sent.
 */
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { ColumnFlags } from '../../input/columns.ts';
import { Findings } from '../../input/findings.ts';
import type { Format, RefusedRow } from '../../input/row.ts';
import { checkSetFields, type Rules } from '../../input/rows.ts';
import { inputIdentity, openSource } from '../../input/source.ts';
import type { OtaReader } from '../../ota/reader.ts';
import type { Progress } from '../../text/progress.ts';
import type { Clock } from '../../time/clock.ts';
import type { MeasuredRate } from '../ledger/job.ts';
import { type Conditions, describeTasks } from './conditions.ts';
import { changeOf, decide, isUndoable, isUnread } from './decisions.ts';
import { type ChangeRow, PLAN_FORM, type TaskChange } from './format.ts';
import { costOfReading, readTasks, type TaskRead } from './read-tasks.ts';
import { Refused, requireApart } from './refused.ts';
import { fileRows, liveTasks, type SourceRow, toPlanRow } from './sources.ts';
import { type StagedRow, Staging } from './staging.ts';
import type { PlanReport } from './summary.ts';
import { PlanWriter } from './writer.ts';

/** Where the rows come from: a path (`-` for stdin), or live tasks. */
export type PlanFrom =
  | { readonly file: string; readonly format: Format | undefined; readonly columns: ColumnFlags }
  | { readonly conditions: Conditions };

export interface PlanOptions {
  readonly from: PlanFrom;
  /** Set on every row. */
  readonly set: TaskChange;
  readonly jobId: string;
  /** Where the plan goes. */
  readonly out: string;
  /** Replace a plan that is there. */
  readonly force: boolean;
  /** Read every task before it is planned. */
  readonly refresh: boolean;
  /** Where refused rows go; beside the file, or named after the job, when omitted. */
  readonly refusedFile: string | undefined;
  /** Calls per second; `Infinity` for no limit. */
  readonly rateLimit: number;
  /** Reads in flight at once. */
  readonly maxConcurrency: number;
}

export interface PlanContext {
  readonly stdin: Readable;
  readonly cwd: string;
  readonly clock: Clock;
  /** Aborts when the user interrupts. */
  readonly signal: AbortSignal;
  /** Used for live tasks and for a refresh only. */
  readonly reader: Pick<OtaReader, 'get' | 'list'>;
  readonly progress: Progress;
  /** Prints a line before the result. */
  readonly say: (line: string) => void;
  /** What `check` finds, a line each; it runs while the plan is made. */
  readonly check: () => Promise<readonly string[]>;
  /** How fast the latest jobs went. */
  readonly measuredRate: () => Promise<MeasuredRate | undefined>;
}

/**
 * Makes the plan that `options` ask for.
 * @returns the result; undefined when it was interrupted, and then nothing was written.
 * @throws CommandError when file or flags are wrong, or when file, disk or API failed. Then nothing was written either.
 */
export async function makePlan(options: PlanOptions, context: PlanContext): Promise<PlanReport | undefined> {
  const rules: Rules = { set: options.set, startedAt: context.clock.wall() };
  checkSetFields(rules);
  const { cwd } = context;
  requireApart(options.out, options.refusedFile, cwd);
  const input = 'file' in options.from ? inputIdentity(options.from.file, context) : undefined;
  const output = { cwd, force: options.force, inputs: [input] };
  const writer = new PlanWriter(options.out, output);
  const opened = await openRows(options, context, rules).catch((error: unknown) => {
    if (context.signal.aborted) return undefined;
    throw error;
  });
  if (opened === undefined) return undefined;
  let refused: Refused | undefined;
  const staging = new Staging();
  try {
    refused = new Refused(options.refusedFile, opened.refusedPath, output);
    const check = context.check();
    const report = await plan({ options, context, rules, opened, writer, staging, refused });
    if (report === undefined) return undefined;
    return { ...report, warnings: [...report.warnings, ...(await check)] };
  } finally {
    context.progress.stop();
    writer.discard();
    refused?.discard();
    staging.close();
    await opened.close();
  }
}

interface OpenedRows {
  readonly name: string;
  /** Where refused rows go by default. */
  readonly refusedPath: string;
  readonly rows: AsyncIterable<SourceRow>;
  /** What who gave the file should know, a sentence each; once the rows were read. */
  readonly notes: () => readonly string[];
  /** What was found out about the file. */
  readonly findings: Findings;
  /** Live tasks looked at, once all are listed; those that meet no condition included. Undefined for a file. */
  readonly listed: () => number | undefined;
  readonly close: () => Promise<void>;
}

async function openRows(options: PlanOptions, context: PlanContext, rules: Rules): Promise<OpenedRows> {
  const { from } = options;
  const { progress, reader } = context;
  if ('conditions' in from) {
    let listed = 0;
    progress.stage('listed');
    const onListed = (count: number): void => {
      listed = count;
      progress.update(count);
    };
    const { conditions } = from;
    return {
      name: describeTasks(conditions),
      refusedPath: join(dirname(options.out), `${options.jobId}.refused.csv`),
      rows: liveTasks({ reader, conditions, rules, onListed }),
      notes: () => [],
      findings: new Findings(),
      listed: () => listed,
      close: async () => {},
    };
  }
  const source = await openSource(from.file, { ...context, format: from.format });
  progress.stage('reading   ', source.bytes);
  const { columns } = from;
  const findings = new Findings();
  const unused: string[] = [];
  let bytes = 0;
  const onBytes = (count: number): void => {
    bytes += count;
    progress.update(bytes);
  };
  return {
    name: source.name,
    refusedPath: source.refusedPath,
    rows: fileRows({ source, columns, findings, rules, onBytes, onUnused: (field) => unused.push(field) }),
    findings,
    notes: () => [
      ...findings.notes(source.name, columns),
      ...unused.map((field) => `${field} in ${source.name} is not used: a job gives its own`),
    ],
    listed: () => undefined,
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
  const { signal, progress } = context;
  let rows = 0;
  for await (const input of opened.rows) {
    if (signal.aborted) return undefined;
    if ('reason' in input) refused.add(input);
    staging.add({ line: input.line, row: toPlanRow(input, ++rows) });
  }
  const duplicates = staging.seal();
  const createdAt = new Date(rules.startedAt).toISOString();
  writer.begin({ Plan: PLAN_FORM, JobId: options.jobId, CreatedAt: createdAt, Source: opened.name });

  const conditions = 'conditions' in options.from ? options.from.conditions : undefined;
  let unread = 0;
  let undoable = 0;
  let done = 0;
  for await (const { item, answer } of stagedTasks(making, rows - refused.total - duplicates.rows)) {
    if (signal.aborted) return undefined;
    const { line, row } = item;
    if ('LeftOut' in row) {
      writer.add(row);
      continue;
    }
    progress.update(++done);
    if (isUnread(answer)) unread++;
    const decided = decide(row, answer, conditions);
    if ('LeftOut' in decided && decided.LeftOut === 'refused')
      refused.add(toRefused(row, line, decided.Reason ?? ''));
    else if (!('LeftOut' in decided) && isUndoable(decided)) undoable++;
    writer.add(decided);
  }
  if (signal.aborted) return undefined;
  const { counts } = writer;
  const refusedFile = refused.finish();
  const written = writer.finish();
  return {
    jobId: options.jobId,
    source: opened.name,
    kind: conditions === undefined ? 'file' : 'live',
    rows: opened.listed() ?? rows,
    plan: written === 'written' ? options.out : undefined,
    removed: written === 'removed' ? options.out : undefined,
    counts,
    duplicateIdentifiers: duplicates.identifiers,
    unread,
    undoable,
    measured: await context.measuredRate(),
    refreshed: options.refresh,
    refusedFile,
    reasons: refused.counts(),
    rateLimit: options.rateLimit,
    form: opened.findings.form,
    leftOut: opened.findings.leftOut,
    warnings: opened.notes(),
  };
}

/** All rows; of those to change, the task too if that is asked for. @param count of those to change. */
async function* stagedTasks(
  { options, context, staging }: Making,
  count: number,
): AsyncGenerator<TaskRead<StagedRow>, undefined> {
  const { progress, signal, reader } = context;
  const { maxConcurrency, rateLimit } = options;
  if (options.refresh) {
    context.say(`refresh: ${costOfReading(count, rateLimit)}`);
    progress.stage('refreshing', count);
    const identifierOf = ({ row }: StagedRow) => ('LeftOut' in row ? undefined : row.Identifier);
    yield* readTasks(staging.rows(), identifierOf, { reader, maxConcurrency, signal });
  } else {
    progress.stage('writing   ', count);
    for await (const item of staging.rows()) yield { item, answer: undefined };
  }
}

/** A row that was to be changed, for the file of refused rows. */
export function toRefused(row: ChangeRow, line: number, reason: string): RefusedRow {
  const { Identifier } = row;
  return {
    line,
    raw: JSON.stringify({ Identifier, ...changeOf(row) }),
    reason,
    values: { Identifier, ...changeOf(row) },
  };
}
