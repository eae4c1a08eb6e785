/** Sends claimed rows, and reports what became of each. */
import type { OutgoingMessage } from '../../queue/types.ts';
import { isFifoUrl } from '../../queue/urls.ts';
import { toMessage } from '../../sending/messages.ts';
import { type SendContext, sendMessages } from '../../sending/send.ts';
import type { Sendings, SentRow } from '../ledger/ledger.ts';
import { type LedgerRow, requestIdOf } from '../ledger/row.ts';
import { changeOf } from '../plan/decisions.ts';

export interface SendRowsOptions extends SendContext {
  readonly queueUrl: string;
  readonly jobId: string;
  readonly issuedAt: string;
}

interface RowMessage extends OutgoingMessage {
  readonly row: number;
}

/**
 * Never rejects because of an answer of SQS. Rows of which it is unknown whether they arrived are in none of the
 * lists.
 * @returns also why sending gave up, as a sentence without its full stop.
 */
export async function sendRows(
  rows: readonly LedgerRow[],
  options: SendRowsOptions,
): Promise<Sendings & { readonly failure: string | undefined }> {
  const { queueUrl, jobId, issuedAt } = options;
  const fifo = isFifoUrl(queueUrl);
  const messages = rows.map((row): RowMessage => {
    const ids = { JobId: jobId, RequestId: requestIdOf(row), IssuedAt: row.IssuedAt ?? issuedAt };
    const update = { Identifier: row.Identifier, ...changeOf(row), ...ids };
    // A resumed job is the same run, so that a FIFO queue drops duplicates. Each try has its own RequestId.
    return { row: row.Row, ...toMessage(update, { key: String(row.Row), fifo, run: jobId }) };
  });
  const sent: SentRow[] = [];
  const refused: Sendings['refused'][number][] = [];
  const { uncertain, repeated, failure } = await sendMessages(messages, {
    ...options,
    hints: { setting: 'QUEUE_URL', permission: 'sqs:SendMessage', does: 'send' },
    onSent: (batch, ids) => {
      for (const { key, row } of batch) sent.push({ row, messageId: ids.get(key) ?? '' });
    },
    onRefused: ({ row }, reason) => void refused.push({ row, reason }),
  });
  const known = new Set([
    ...sent.map(({ row }) => row),
    ...refused.map(({ row }) => row),
    ...[...uncertain].map(({ row }) => row),
  ]);
  const untouched = rows.map(({ Row }) => Row).filter((row) => !known.has(row));
  return { sent, refused, untouched, maybeTwice: repeated, failure };
}
