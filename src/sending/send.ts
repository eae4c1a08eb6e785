/**
 * Sends rows in batches over several lanes.
 *
 * A lane takes the next batch, sends it until every row in it is sent or refused, and takes another. All lanes stop
 * after the batch in hand when the run is interrupted, or when one of them gives up. On a FIFO queue there is one
 * lane: the next batch waits until the one before is settled, so that no row passes an earlier one of its group.
 */

import type { GoodRow, RefusedRow } from '../input/validate.ts';
import { isTransient } from '../queue/errors.ts';
import { explainSqsError, type RequestHints } from '../queue/explain.ts';
import type { BatchFailure, OutgoingMessage } from '../queue/types.ts';
import { printable } from '../text/printable.ts';
import { type BackoffSettings, fullJitter } from '../time/backoff.ts';
import { batchRows, isFifo, type OutgoingRow } from './batches.ts';

/** Requests in flight at most, on a standard queue. */
export const LANES = 8;
/** Tries of one batch, without any progress, before the run gives up. */
export const MAX_TRIES = 6;

const backoff: BackoffSettings = { baseMs: 200, maxMs: 10_000 };

export interface SendOptions {
  readonly queueUrl: string;
  /** How sentences name where the queue's URL comes from; as `enqueue` takes it when omitted. */
  readonly hints?: RequestHints;
  /** Names this run (see batches.ts). */
  readonly run: string;
  /** One request; rejects when it failed as a whole. */
  readonly send: (messages: readonly OutgoingMessage[]) => Promise<BatchFailure[]>;
  /** Resolves after `ms`, or at once when `signal` aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
  /** Aborts when the user interrupts the run. */
  readonly signal: AbortSignal;
  /** A row that SQS will never take. */
  readonly onRefused: (row: RefusedRow) => void;
  /** Called with the number of rows settled so far. */
  readonly onProgress: (settled: number) => void;
}

export interface SendResult {
  readonly sent: number;
  readonly refused: number;
  /** Requests made, the ones that failed included. */
  readonly requests: number;
  /** The first line that is not known to be sent; undefined when all are settled. Some lines after it may be sent. */
  readonly continueFrom: number | undefined;
  /** Why the run gave up, as a sentence without its full stop. */
  readonly failure: string | undefined;
}

/** Sends all rows. Never rejects for what SQS answers: the result says how far it came. */
export async function sendRows(rows: AsyncIterable<GoodRow>, options: SendOptions): Promise<SendResult> {
  const { queueUrl, hints, run, send, sleep, random, onRefused, onProgress } = options;
  const fifo = isFifo(queueUrl);
  const batches = batchRows(rows, { fifo, run });
  const gaveUp = new AbortController();
  const stop = AbortSignal.any([options.signal, gaveUp.signal]);
  let sent = 0;
  let refused = 0;
  let requests = 0;
  let failure: string | undefined;
  let taken = 0;
  let firstUnsent = Number.POSITIVE_INFINITY;

  const giveUp = (reason: string): void => {
    failure ??= reason;
    gaveUp.abort();
  };
  // The file or the report could not be read or written: the other lanes finish what they hold.
  const onBroken = (error: unknown): void => giveUp(error instanceof Error ? error.message : String(error));
  const leave = (left: readonly OutgoingRow[]): void => {
    for (const { row } of left) firstUnsent = Math.min(firstUnsent, row.line);
  };

  /** Takes stock of one answer; gives back the rows to try again. */
  const settle = (batch: readonly OutgoingRow[], failed: readonly BatchFailure[]): readonly OutgoingRow[] => {
    const byKey = new Map(failed.map((entry) => [entry.key, entry]));
    const again: OutgoingRow[] = [];
    for (const outgoing of batch) {
      const { row, message } = outgoing;
      const entry = byKey.get(message.key);
      if (entry === undefined) sent++;
      else if (!entry.senderFault) again.push(outgoing);
      else {
        onRefused({ line: row.line, raw: row.raw, reason: `SQS: ${entry.code} ${entry.message}`.trim() });
        refused++;
      }
    }
    onProgress(sent + refused);
    return again;
  };

  /** Sends until nothing is left; answers what is left when the run stops first. */
  const deliver = async (batch: readonly OutgoingRow[]): Promise<readonly OutgoingRow[]> => {
    let left = batch;
    let tries = 0;
    while (!stop.aborted) {
      requests++;
      tries++;
      const answer = await request(send, left);
      if ('failed' in answer) {
        const again = settle(left, answer.failed);
        if (again.length === 0) return again;
        if (again.length < left.length) tries = 0;
        left = again;
      }
      const reason =
        'failed' in answer ? describeFailed(answer.failed) : explainSqsError(answer.error, queueUrl, hints);
      if ('error' in answer && !isTransient(answer.error)) giveUp(reason);
      else if (tries >= MAX_TRIES) giveUp(`${reason}, ${MAX_TRIES} times in a row`);
      else await sleep(fullJitter(backoff, tries, random), stop);
    }
    return left;
  };

  const lane = async (): Promise<void> => {
    while (!stop.aborted) {
      const next = await batches.next();
      if (next.done) return;
      taken = Math.max(taken, next.value.at(-1)?.row.line ?? 0);
      // Whole, should the report of refused rows fail to be written in between: better sent twice than not at all.
      leave(
        await deliver(next.value).catch((error: unknown) => {
          onBroken(error);
          return next.value;
        }),
      );
    }
  };

  await Promise.all(Array.from({ length: fifo ? 1 : LANES }, () => lane().catch(onBroken)));
  if (stop.aborted) {
    const next = await batches.next();
    if (!next.done) leave(next.value);
    await batches.return(undefined);
  }
  const unknown = failure === undefined ? undefined : taken + 1;
  const continueFrom = Number.isFinite(firstUnsent) ? firstUnsent : unknown;
  return { sent, refused, requests, continueFrom, failure };
}

async function request(
  send: SendOptions['send'],
  batch: readonly OutgoingRow[],
): Promise<{ failed: BatchFailure[] } | { error: unknown }> {
  try {
    return { failed: await send(batch.map(({ message }) => message)) };
  } catch (error) {
    return { error };
  }
}

function describeFailed(failed: readonly BatchFailure[]): string {
  const first = failed.find((entry) => !entry.senderFault);
  return `SQS did not take some messages (${printable(`${first?.code}: ${first?.message}`)})`;
}
