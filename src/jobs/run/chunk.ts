/** Sends some claimed rows, and tells of each what became of it. */

import type { GoodRow } from '../../input/validate.ts';
import { mayHaveArrived } from '../../queue/errors.ts';
import { type SendOptions, sendRows } from '../../sending/send.ts';
import type { RefusedBySqs, Sendings } from '../ledger/ledger.ts';
import type { LedgerRow } from '../ledger/types.ts';
import { rowName } from './row-name.ts';

export interface ChunkOptions extends Pick<SendOptions, 'queueUrl' | 'send' | 'sleep' | 'random' | 'signal'> {
  readonly jobId: string;
  readonly issuedAt: string;
}

export interface ChunkResult extends Sendings {
  /** Rows sent once more because the answer to a request was lost. */
  readonly maybeTwice: number;
  /** Why sending gave up, as a sentence without its full stop. */
  readonly failure: string | undefined;
}

/** Never rejects for what SQS answers. Rows that may have arrived and are not known to are in none of the lists. */
export async function sendChunk(rows: readonly LedgerRow[], options: ChunkOptions): Promise<ChunkResult> {
  const state = new Map<string, 'untouched' | 'uncertain' | 'sent'>();
  for (const { row } of rows) state.set(String(row), 'untouched');
  const refused: RefusedBySqs[] = [];
  let maybeTwice = 0;

  const send: SendOptions['send'] = async (messages) => {
    const keys = messages.map((message) => message.key);
    maybeTwice += keys.filter((key) => state.get(key) === 'uncertain').length;
    try {
      const failed = await options.send(messages);
      const failedKeys = new Set(failed.map(({ key }) => key));
      for (const key of keys) if (!failedKeys.has(key)) state.set(key, 'sent');
      return failed;
    } catch (error) {
      if (mayHaveArrived(error)) for (const key of keys) state.set(key, 'uncertain');
      throw error;
    }
  };

  const { failure } = await sendRows(toGoodRows(rows, options), {
    ...options,
    // Whoever resumes a job is the same run: on FIFO queues SQS then drops what arrives twice. Each try has its RequestId.
    run: options.jobId,
    hints: { setting: 'QUEUE_URL', permission: 'sqs:SendMessage' },
    send,
    onRefused: ({ line, reason }) => {
      refused.push({ row: line, reason });
      state.delete(String(line));
    },
    onProgress: () => {},
  });
  const of = (wanted: string): number[] =>
    [...state].filter(([, is]) => is === wanted).map(([key]) => Number(key));
  return { sent: of('sent'), untouched: of('untouched'), refused, maybeTwice, failure };
}

async function* toGoodRows(
  rows: readonly LedgerRow[],
  { jobId, issuedAt }: ChunkOptions,
): AsyncGenerator<GoodRow, undefined> {
  for (const { row, identifier, change, try: attempt } of rows) {
    const update = {
      Identifier: identifier,
      ...change,
      JobId: jobId,
      RequestId: rowName(row, attempt),
      IssuedAt: issuedAt,
    };
    yield { line: row, raw: '', update };
  }
}
