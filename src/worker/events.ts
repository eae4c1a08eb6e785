/** The events of a worker, for logs, metrics and tests. */
import type { BoundChange } from '../limits/bounds.ts';
import type { DeadLetter } from '../message/dead-letter.ts';
import type { Disposition } from '../message/disposition.ts';
import type { Failure } from '../message/failure.ts';
import type { Message } from '../message/message.ts';
import type { NewestField } from '../message/newest.ts';
import type { Outcome } from '../message/outcome.ts';
import type { UpdateIds } from '../message/update.ts';
import type { GateChange } from '../ota/gate.ts';
import type { HoldChange } from '../ota/hold.ts';
import type { QueueNotice } from '../queue/types.ts';
import type { ConditionEvent } from './conditions.ts';
import type { QueueChanges, QueueSetting } from './receive/queue-facts.ts';
import type { SpanIds } from './tracing.ts';

export type WorkerState = 'starting' | 'running' | 'draining' | 'stopped';

/** Who the event is about. */
export interface Subject {
  readonly message: Message;
  readonly ids: UpdateIds;
  /** Where it is traced. */
  readonly trace?: { readonly ids: SpanIds } | undefined;
}

/** When a deferred message comes again, and how near it is to being given up. */
export interface Deferral {
  /** Deliveries that count towards `MAX_DELIVERIES` so far, this one included where it failed. */
  readonly counted: number;
  /** `MAX_DELIVERIES`. */
  readonly most: number;
  /** Epoch milliseconds. */
  readonly visibleAt: number;
}

/** What did not work: `settle` and `take` are bugs of ours on the way of a message, `sweep` the look for expiring messages. */
export type SettleRequest =
  | 'delete'
  | 'change visibility'
  | 'extend'
  | 'publish outcomes'
  | 'settle'
  | 'take'
  | 'sweep';

/** Durations are in milliseconds. */
export type WorkerEvent =
  | QueueNotice
  | { readonly type: 'state'; readonly state: WorkerState }
  | { readonly type: 'received'; readonly count: number; readonly durationMs: number }
  /** Somebody has changed a queue, or it is another one by the same name. */
  | { readonly type: 'queue-changed'; readonly setting: QueueSetting; readonly changes: QueueChanges }
  | { readonly type: 'receive-failed'; readonly error: unknown; readonly retryInMs: number }
  | {
      readonly type: 'attempt';
      readonly subject: Subject;
      readonly attempt: number;
      readonly durationMs: number;
      readonly failure?: Failure;
      readonly requestId?: string;
    }
  | {
      readonly type: 'settled';
      readonly subject: Subject;
      readonly disposition: Disposition;
      readonly attempts: number;
      /** From the message's sent time to now, by the wall clock. */
      readonly dwellMs: number;
      readonly deadLetter?: DeadLetter;
      /** Of a deferral. */
      readonly deferral?: Deferral;
      /** What was published, where outcomes are. */
      readonly outcome?: Outcome;
      /** Acknowledged without these fields, all of them or some: newer values were applied before. */
      readonly superseded?: { readonly fields: readonly NewestField[]; readonly decidedAt: number };
      /** The failure behind a defer or release, when there was one. */
      readonly failure?: Failure;
    }
  /** A bug of ours outside the calls: what becomes of the message is said by `settled`. */
  | { readonly type: 'crashed'; readonly subject: Subject; readonly failure: Failure }
  | { readonly type: 'lease-lost'; readonly subject: Subject; readonly reason: string }
  | {
      readonly type: 'settle-failed';
      readonly request: SettleRequest;
      readonly count: number;
      readonly error: unknown;
    }
  | { readonly type: 'letter-refused'; readonly subject: Subject; readonly error: unknown }
  | { readonly type: 'outcome-refused'; readonly subject: Subject; readonly error: unknown }
  /** What Redis is for is shared with the other workers from the start; what comes later is a condition. */
  | { readonly type: 'shared'; readonly condition: 'sharing-rate' | 'sharing-marks' }
  /** Who finds the rate of the fleet has changed; `rate` in calls per second. */
  | { readonly type: 'fleet'; readonly role: 'leading' | 'following'; readonly rate: number }
  /** Deferred without a call: another worker has the claim, and it was not to be waited for any longer. */
  | { readonly type: 'claim-not-free'; readonly subject: Subject }
  /** Redis holds, under a key of ours, what no worker writes: ignored. */
  | { readonly type: 'newest-foreign'; readonly what: 'marks' | 'claim'; readonly identifier: string }
  | { readonly type: 'gate'; readonly change: GateChange }
  /** The API has named a time to several calls in a row, so that all wait; or they go on. */
  | { readonly type: 'hold'; readonly change: HoldChange }
  /** The environment, a file or Redis limits calls otherwise than before. */
  | { readonly type: 'bound'; readonly change: BoundChange }
  | ConditionEvent;

export type WorkerListener = (event: WorkerEvent) => void;

/** Hands an event to every listener; a fault of a listener becomes a process warning, never a fault of the work. */
export function createEmitter(listeners: readonly WorkerListener[]): WorkerListener {
  return (event) => {
    for (const listener of listeners) {
      try {
        listener(event);
      } catch (error) {
        process.emitWarning(error instanceof Error ? error : String(error));
      }
    }
  };
}
