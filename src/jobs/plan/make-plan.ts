import type { RefusedRow } from '../../input/row.ts';
import { checkSetFields, type Rules } from '../../input/rows.ts';
import { inputIdentity } from '../../input/source.ts';
import { counted } from '../../text/numbers.ts';
import { ConfigurationPairs } from './configuration-changes.ts';
import { CountedLines } from './counted-lines.ts';
import { changeOf, decide, isUndoable, isUnread, refused as refusedRow } from './decisions.ts';
import { type ChangeRow, PLAN_FORM } from './format.ts';
import { type Look, lookAt, unlookedWarning } from './look.ts';
import { type OpenedRows, openRows } from './open-rows.ts';
import type { PlanContext, PlanOptions } from './options.ts';
import { costOfReading, readTasks, type TaskRead } from './read-tasks.ts';
import { Refused, requireApart } from './refused.ts';
import { toPlanRow } from './sources.ts';
import { type StagedRow, Staging } from './staging.ts';
import type { PlanReport } from './summary.ts';
import { PlanWriter } from './writer.ts';

/**
 * Makes the plan described by `options`.
 * @returns the result; undefined if interrupted, and then nothing was written.
 * @throws CommandError if file or flags are wrong, or if file, disk or API failed. Nothing was written then, either.
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
    const status = input.listed?.Status;
    staging.add({
      line: input.line,
      row: toPlanRow(input, ++rows),
      ...(status !== undefined && { status }),
    });
  }
  const duplicates = staging.seal();
  const look = await lookAtConfigurations(making);
  if (signal.aborted) return undefined;
  const createdAt = new Date(rules.startedAt).toISOString();
  writer.begin({ Plan: PLAN_FORM, JobId: options.jobId, CreatedAt: createdAt, Source: opened.name });

  const conditions = 'conditions' in options.from ? options.from.conditions : undefined;
  const pairs = new ConfigurationPairs();
  const statuses = new CountedLines('other states');
  let unread = 0;
  let undoable = 0;
  let done = 0;
  for await (const { item, answer } of stagedTasks(making, rows - refused.total - duplicates.rows)) {
    if (signal.aborted) return undefined;
    const { line, row, status, refusal } = item;
    if ('LeftOut' in row) {
      writer.add(row);
      continue;
    }
    progress.update(++done);
    if (isUnread(answer)) unread++;
    const decided = refusal === undefined ? decide(row, answer, conditions) : refusedRow(row, refusal);
    if (!('LeftOut' in decided)) {
      if (isUndoable(decided)) undoable++;
      pairs.add(decided);
      const known = answer?.ok ? answer.value.Status : status;
      if (known !== undefined) statuses.add(known, line);
    } else if (decided.LeftOut === 'refused') refused.add(toRefused(row, line, decided.Reason ?? ''));
    writer.add(decided);
  }
  if (signal.aborted) return undefined;
  const { counts } = writer;
  const canAsk = options.look && look?.unlooked === undefined;
  const configurations = await pairs.compared(look?.found ?? new Map(), canAsk ? context.reader : undefined);
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
    configurations,
    otherConfigurations: pairs.others,
    looked: look === undefined ? undefined : options.look && look.unlooked === undefined,
    statuses: statuses.all(),
    rateLimit: options.rateLimit,
    form: opened.findings.form,
    leftOut: opened.findings.leftOut,
    warnings: [
      ...opened.notes(),
      ...(options.look && look?.unlooked !== undefined ? [unlookedWarning(look.unlooked)] : []),
    ],
  };
}

/** Looking up more configurations than this is announced first. */
const MANY_CONFIGURATIONS = 100;

/** @returns undefined if no row sets a configuration. */
async function lookAtConfigurations({ options, context, staging }: Making): Promise<Look | undefined> {
  const count = staging.configurationCount;
  if (count === 0) return undefined;
  if (!options.look) return { unlooked: 'not asked for', found: new Map() };
  if (count > MANY_CONFIGURATIONS) {
    context.say(`configurations: ${counted(count, 'call', 'calls')} of GetOtaTaskConfiguration`);
    context.progress.stage('looking at', count);
  }
  let asked = 0;
  const ids = async function* (): AsyncGenerator<string, undefined> {
    for await (const id of staging.configurations()) {
      if (count > MANY_CONFIGURATIONS) context.progress.update(++asked);
      yield id;
    }
  };
  const { maxConcurrency } = options;
  return await lookAt(ids(), (id, reason) => staging.refuse(id, reason), { ...context, maxConcurrency });
}

/** All rows; with their tasks for rows to change, if that is asked for. @param count the number of rows to change. */
async function* stagedTasks(
  { options, context, staging }: Making,
  count: number,
): AsyncGenerator<TaskRead<StagedRow>, undefined> {
  const { progress, signal, reader } = context;
  const { maxConcurrency, rateLimit } = options;
  if (options.refresh) {
    context.say(`refresh: ${costOfReading(count, rateLimit)}`);
    progress.stage('refreshing', count);
    const identifierOf = ({ row, refusal }: StagedRow) =>
      'LeftOut' in row || refusal !== undefined ? undefined : row.Identifier;
    yield* readTasks(staging.rows(), identifierOf, { reader, maxConcurrency, signal });
  } else {
    progress.stage('writing   ', count);
    for await (const item of staging.rows()) yield { item, answer: undefined };
  }
}

/** A row that should be changed, in the form for the file of refused rows. */
export function toRefused(row: ChangeRow, line: number, reason: string): RefusedRow {
  const { Identifier } = row;
  return {
    line,
    raw: JSON.stringify({ Identifier, ...changeOf(row) }),
    reason,
    values: { Identifier, ...changeOf(row) },
  };
}
