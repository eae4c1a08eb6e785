/** What a ledger knows about a task, as findings. PURE. */
import { type RowEnd, requestIdOf } from '../jobs/ledger/row.ts';
import type { TaskOutcome, TaskRecords, TaskRow } from '../jobs/ledger/task.ts';
import { parseInstant } from '../message/instant.ts';
import type { End, EndState, Finding, Step, Values } from './finding.ts';
import { whyText } from './updates.ts';

export function ledgerFindings({ rows, outcomes }: TaskRecords): Finding[] {
  return [...rows.map(ofRow), ...outcomes.map(ofOutcome)];
}

function ofRow({ jobId, issuedAt, row, sentAt, messageIds }: TaskRow): Finding {
  const common = { source: 'ledger', jobId, row: row.Row, messageIds, values: valuesOf(row) } as const;
  const decidedAt = parseInstant(issuedAt);
  if ('LeftOut' in row) {
    const reason = row.Reason === undefined ? row.LeftOut : `${row.LeftOut}: ${row.Reason}`;
    return { ...common, decidedAt, end: { state: 'left-out', reason }, steps: [] };
  }
  const { state, end, reconciled } = row;
  const ended = state === 'planned' || state === 'sending' || state === 'sent' ? undefined : state;
  const steps: Step[] =
    sentAt === undefined ? [] : [{ at: sentAt, source: 'ledger', what: sendingText(row.sends) }];
  const before = parseInstant(end.at);
  // The row is being tried again: its end belongs to the previous try.
  if (ended === undefined && before !== undefined)
    steps.push({ at: before, source: 'ledger', what: `a try before ended${whyText(end)}` });
  return {
    ...common,
    requestId: requestIdOf(row),
    decidedAt,
    sentAt,
    ...(ended === undefined
      ? { open: state as NonNullable<Finding['open']> }
      : {
          end: { ...toEnd(ended, end), ...(reconciled && { note: 'read from the task, no outcome came' }) },
        }),
    steps,
  };
}

function sendingText(sends: number): string {
  return sends > 1 ? `sent to the queue, the ${sends}th time` : 'sent to the queue';
}

function ofOutcome({ jobId, name, messageId, foreign, state, end }: TaskOutcome): Finding {
  return {
    source: 'ledger',
    messageIds: [messageId],
    jobId,
    ...(name !== messageId && { requestId: name }),
    end: {
      ...toEnd(state, end),
      ...(foreign && { note: 'not of a message that this ledger sent for the row' }),
    },
    steps: [],
  };
}

function valuesOf({ Description, TaskConfigurationId }: Values): Values {
  return {
    ...(Description !== undefined && { Description }),
    ...(TaskConfigurationId !== undefined && { TaskConfigurationId }),
  };
}

function toEnd(state: EndState, { reason, error, attempts, at }: RowEnd): End {
  const time = parseInstant(at);
  return {
    state,
    ...(time !== undefined && { at: time }),
    ...(reason !== undefined && { reason }),
    ...(error !== undefined && { error }),
    ...(attempts !== undefined && { attempts }),
  };
}
