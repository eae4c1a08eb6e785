/** Makes the plan that undoes a job: reads every task that the job may have changed, and restores its former values. */
import { dirname, join } from 'node:path';
import { updateSchema } from '../../message/update.ts';
import type { OtaTask } from '../../ota/answers.ts';
import type { ReadAnswer } from '../../ota/reader.ts';
import type { LedgerRow } from '../ledger/row.ts';
import { ConfigurationPairs } from './configuration-changes.ts';
import { CountedLines } from './counted-lines.ts';
import { changeFields, changeOf } from './decisions.ts';
import { type LeftOutRow, PLAN_FORM, type PlanCounts, type TaskChange } from './format.ts';
import { unlookedWarning } from './look.ts';
import { Looks } from './looks.ts';
import { toRefused } from './make-plan.ts';
import type { PlanContext, PlanOptions } from './options.ts';
import { costOfReading, readTasks } from './read-tasks.ts';
import { Refused, requireApart } from './refused.ts';
import type { PlanReport } from './summary.ts';
import { PlanWriter } from './writer.ts';

export interface UndoOptions
  extends Pick<PlanOptions, 'jobId' | 'out' | 'force' | 'refusedFile' | 'rateLimit' | 'maxConcurrency'> {
  /** The job to undo. */
  readonly undone: string;
}

export type UndoContext = Pick<
  PlanContext,
  'cwd' | 'clock' | 'signal' | 'reader' | 'progress' | 'say' | 'check' | 'measuredRate'
> & {
  /** All rows of the job, in order, in pages; read twice. */
  readonly pages: () => AsyncIterable<readonly (LedgerRow | LeftOutRow)[]>;
};

/** Returns and throws like `makePlan`. */
export async function makeUndo(options: UndoOptions, context: UndoContext): Promise<PlanReport | undefined> {
  const { out, jobId, rateLimit, maxConcurrency } = options;
  const { signal, reader, progress } = context;
  requireApart(out, options.refusedFile, context.cwd);
  const output = { cwd: context.cwd, force: options.force };
  const writer = new PlanWriter(out, output);
  const refused = new Refused(options.refusedFile, join(dirname(out), `${jobId}.refused.csv`), output);
  try {
    const check = context.check();
    let [rows, toRead] = [0, 0];
    for await (const row of changedRows(context)) {
      rows++;
      if (isToRead(row)) toRead++;
    }
    context.say(`undo: ${costOfReading(toRead, rateLimit)}`);
    progress.stage('reading   ', toRead);
    const createdAt = new Date(context.clock.wall()).toISOString();
    const Source = `undo of ${options.undone}`;
    writer.begin({ Plan: PLAN_FORM, JobId: jobId, CreatedAt: createdAt, Source, Undoes: options.undone });
    const identifierOf = (row: LedgerRow) => (isToRead(row) ? row.Identifier : undefined);
    const looks = new Looks(reader);
    const pairs = new ConfigurationPairs();
    const statuses = new CountedLines('other states');
    let Row = 0;
    let done = 0;
    for await (const { item, answer } of readTasks(changedRows(context), identifierOf, {
      reader,
      maxConcurrency,
      signal,
    })) {
      if (answer !== undefined) progress.update(++done);
      const decided = answer === undefined ? unread(item) : decideUndo(item, answer);
      const { change, former, faults } = await withoutUnknown(decided, looks);
      const { Identifier } = item;
      // Without the values that the job set: if this file were used as input, they would be set again.
      if (faults.length > 0)
        refused.add({ ...toRefused(item, item.Row, faults.join('; ')), values: { Identifier } });
      if (Object.keys(change).length > 0) {
        writer.add({ Row: ++Row, Identifier, ...change, Former: former });
        pairs.add({ ...change, Former: former });
        if (answer?.ok && answer.value.Status !== undefined) statuses.add(answer.value.Status, item.Row);
      } else if (faults.length > 0)
        writer.add({
          Row: ++Row,
          LeftOut: 'refused',
          Identifier,
          ...changeOf(item.Former ?? {}),
          Reason: faults.join('; '),
        });
      else
        writer.add({
          Row: ++Row,
          LeftOut: 'as-wanted',
          Identifier,
          ...(answer === undefined && { Reason: UNCHANGED }),
        });
    }
    if (signal.aborted) return undefined;
    // A row may be restored in one field only: it is then in the plan, and also among the refused rows.
    const counts: PlanCounts = { ...writer.counts, refused: refused.total };
    const { unlooked } = looks;
    const configurations = await pairs.compared(looks.found, unlooked === undefined ? reader : undefined);
    const refusedFile = refused.finish();
    const written = writer.finish();
    return {
      jobId,
      source: Source,
      kind: 'undo',
      rows,
      plan: written === 'written' ? out : undefined,
      removed: written === 'removed' ? out : undefined,
      counts,
      duplicateIdentifiers: 0,
      unread: 0,
      undoable: counts.toChange,
      measured: await context.measuredRate(),
      refreshed: true,
      refusedFile,
      reasons: refused.counts(),
      configurations,
      otherConfigurations: pairs.others,
      looked: looks.asked ? unlooked === undefined : undefined,
      statuses: statuses.all(),
      rateLimit,
      form: undefined,
      leftOut: 0,
      warnings: [...(await check), ...(unlooked === undefined ? [] : [unlookedWarning(unlooked)])],
    };
  } finally {
    progress.stop();
    writer.discard();
    refused.discard();
  }
}

/** A configuration that no longer exists is not restored. */
async function withoutUnknown(decision: UndoDecision, looks: Looks): Promise<UndoDecision> {
  const { TaskConfigurationId: id, ...change } = decision.change;
  const refusal = id === undefined ? undefined : await looks.refusal(id);
  if (refusal === undefined) return decision;
  const { TaskConfigurationId: _, ...former } = decision.former;
  return { change, former, faults: [...decision.faults, `TaskConfigurationId: ${refusal}`] };
}

const UNCHANGED = 'the job did not change its task';

async function* changedRows({ pages }: UndoContext): AsyncGenerator<LedgerRow, undefined> {
  for await (const page of pages()) for (const row of page) if (!('LeftOut' in row)) yield row;
}

/** The decision about a row whose task was not read. */
function unread(row: LedgerRow): UndoDecision {
  const changed = mayHaveChanged(row);
  const fault =
    changed === true ? 'no former value was recorded' : changed === false ? undefined : changed.reason;
  return { change: {}, former: {}, faults: fault === undefined ? [] : [fault] };
}

/** Whether reading the task is useful: without a former value there is nothing to restore, whatever the task has now. */
function isToRead(row: LedgerRow): boolean {
  return mayHaveChanged(row) === true && Object.keys(row.Former ?? {}).length > 0;
}

/** Whether a row can have changed its task, or why that is still unknown. PURE. */
export function mayHaveChanged({
  state,
  sends,
}: Pick<LedgerRow, 'state' | 'sends'>): boolean | { readonly reason: string } {
  switch (state) {
    case 'applied':
    // Its call may have taken effect even though the answer was lost.
    case 'dead-lettered':
      return true;
    // Waits to be sent again: an earlier send may have taken effect.
    case 'planned':
      return sends > 0;
    // `sends` includes the send that SQS refused.
    case 'refused':
      return sends > 1;
    case 'sending':
    case 'sent':
      return { reason: 'has not ended: see `jobs resume` and `jobs reconcile`, then undo' };
    default:
      return false;
  }
}

/** What to do about one row. */
export interface UndoDecision {
  /** The values to restore; empty if there is nothing to do, or nothing can be done. */
  readonly change: TaskChange;
  /** The values that this replaces. */
  readonly former: TaskChange;
  /** Why other fields cannot be undone, one sentence each. */
  readonly faults: readonly string[];
}

/**
 * Decides per field: a value that the job set and nobody has changed since is restored to the value read before. PURE.
 */
export function decideUndo(
  row: TaskChange & Pick<LedgerRow, 'Former' | 'state'>,
  answer: ReadAnswer<OtaTask>,
): UndoDecision {
  if (!answer.ok) {
    const { status, name, message } = answer.failure;
    const fault = status === 404 ? 'the task no longer exists' : `cannot be read (${name}: ${message})`;
    return { change: {}, former: {}, faults: [fault] };
  }
  const change: { -readonly [Field in keyof TaskChange]: string } = {};
  const former: { -readonly [Field in keyof TaskChange]: string } = {};
  const faults: string[] = [];
  for (const field of changeFields) {
    const wanted = row[field];
    if (wanted === undefined) continue;
    const before = row.Former?.[field];
    const now = answer.value[field] ?? '';
    if (now === before) continue;
    if (now !== wanted) {
      if (row.state === 'applied') faults.push(`${field}: the task was changed since`);
    } else if (before === undefined) faults.push(`${field}: no former value was recorded`);
    else if (before === '') faults.push(`${field}: was empty before, and the API cannot empty it`);
    else if (!updateSchema.shape[field].safeParse(before).success) {
      faults.push(`${field}: UpdateOtaTask does not accept its former value`);
    } else {
      change[field] = before;
      former[field] = now;
    }
  }
  return { change, former, faults };
}
