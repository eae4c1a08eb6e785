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

/** The message that the event is about. */
export interface Subject {
  readonly message: Message;
  readonly ids: UpdateIds;
  /** Present if the delivery is traced. */
  readonly trace?: { readonly ids: SpanIds } | undefined;
}

/** When a deferred message becomes visible again, and how close it is to being dead-lettered for its deliveries. */
export interface Deferral {
  /** Deliveries so far that count towards `MAX_DELIVERIES`, this one included if it failed. */
  readonly counted: number;
  /** `MAX_DELIVERIES`. */
  readonly most: number;
  /** Epoch milliseconds. */
  readonly visibleAt: number;
}

/** The request that failed. `settle` and `take` mean a bug in handling a message, `sweep` the look for expiring messages. */
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
  /** Somebody has changed a queue, or replaced it by another of the same name. */
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
      /** For a deferral only. */
      readonly deferral?: Deferral;
      /** The outcome published, if outcomes are published. */
      readonly outcome?: Outcome;
      /** Acknowledged without these fields, all or some of the update's: newer values were applied before. */
      readonly superseded?: { readonly fields: readonly NewestField[]; readonly decidedAt: number };
      /** The failure that led to the defer or release, if any. */
      readonly failure?: Failure;
    }
  /** A bug in this program outside the calls. The disposition of the message follows in `settled`. */
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
  /** The worker shares this through Redis from its start. Later changes are reported as conditions. */
  | { readonly type: 'shared'; readonly condition: 'sharing-rate' | 'sharing-marks' }
  /** The worker that finds the fleet's rate has changed; `rate` in calls per second. */
  | { readonly type: 'fleet'; readonly role: 'leading' | 'following'; readonly rate: number }
  /** Deferred without a call: another worker holds the claim, and the time to wait for it is over. */
  | { readonly type: 'claim-not-free'; readonly subject: Subject }
  /** Under a key of ours, Redis holds a value that no worker writes. The value is ignored. */
  | { readonly type: 'newest-foreign'; readonly what: 'marks' | 'claim'; readonly identifier: string }
  | { readonly type: 'gate'; readonly change: GateChange }
  /** The API has named a time to several calls in a row, so all calls wait; or they go on. */
  | { readonly type: 'hold'; readonly change: HoldChange }
  /** The limit on calls from the environment, a file or Redis has changed. */
  | { readonly type: 'bound'; readonly change: BoundChange }
  | ConditionEvent;

export type WorkerListener = (event: WorkerEvent) => void;

/** Passes each event to every listener. A fault in a listener becomes a process warning, and never affects the work. */
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
