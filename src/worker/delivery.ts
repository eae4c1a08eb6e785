/**
 * One delivery of one message, from receipt until it is settled or lost.
 *
 *   waiting ─► calling ⇄ backing off ─► (on trial) ─► settling ─► gone
 *      └──────────── given up: released or deferred ─────┘
 *   any state ── lease lost ─► gone: forgotten, nothing more is done to the message
 *
 * On a FIFO queue the message group is busy with it until it is gone and its work has ended (see groups.ts).
 */
import type { DeadLetter } from '../message/dead-letter.ts';
import type { Tally } from '../message/disposition.ts';
import type { Failure } from '../message/failure.ts';
import type { Message } from '../message/message.ts';
import { decidedAt, type NewestField } from '../message/newest.ts';
import type { Outcome } from '../message/outcome.ts';
import type { UpdateCheck, UpdateIds } from '../message/update.ts';
import type { Work } from '../ota/call.ts';
import { Interruption } from '../ota/interruption.ts';

export class Delivery implements Work {
  readonly message: Message;
  readonly check: UpdateCheck;
  readonly ids: UpdateIds;
  readonly tally: Tally = { attempts: 0, counted: 0, throttledInARow: 0 };
  readonly interruption = new Interruption();
  readonly decidedAt: number;
  superseded: readonly NewestField[] = [];
  calling = false;
  /** Its turn has come and its work has not ended. */
  working = false;
  /** The lease is gone: whatever comes of the call, the message is not ours to settle. */
  lost = false;
  /** The work has ended and the message is being settled: too late to give up. */
  settling = false;
  /** SQS has been asked to carry out the settlement, and may have done so before its answer is in. */
  settlementSent = false;
  /**
   * Cuts the call in flight. On FIFO queues only: the call of a message that is somebody else's by now could take
   * effect after that of its successor.
   */
  cut: AbortController | undefined;
  /** The failure that the work ended with, if it did. */
  failure: Failure | undefined;
  /** What was sent to the dead-letter queue. */
  letter: DeadLetter | undefined;
  /** What was sent to the outcome queue. */
  outcome: Outcome | undefined;

  constructor(message: Message, check: UpdateCheck) {
    this.message = message;
    this.check = check;
    this.decidedAt = check.ok ? decidedAt(check.update, message) : message.sentAt;
    this.ids = check.ok ? idsOf(check.update) : check.ids;
  }

  get signal(): AbortSignal | undefined {
    return this.cut?.signal;
  }
}

function idsOf({ Identifier, JobId, RequestId }: Extract<UpdateCheck, { ok: true }>['update']): UpdateIds {
  return {
    identifier: Identifier,
    ...(JobId !== undefined && { jobId: JobId }),
    ...(RequestId !== undefined && { requestId: RequestId }),
  };
}
