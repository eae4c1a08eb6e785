/** What a worker has done since its start and recently, counted from its events: for the log's summary, metrics and `status`. */
import type { DeadLetterReason } from '../message/dead-letter-record.ts';
import type { Disposition } from '../message/disposition.ts';
import type { Clock } from '../time/clock.ts';
import { errorName } from './conditions.ts';
import type { WorkerEvent } from './events.ts';

/** Counts since the start of the worker. */
export interface Counts {
  readonly received: number;
  readonly applied: number;
  readonly superseded: number;
  readonly deadLettered: number;
  readonly deferred: number;
  readonly released: number;
  readonly calls: number;
  readonly throttled: number;
  /** Calls that failed for a reason other than throttling. */
  readonly failed: number;
  /** A reason that has not occurred is absent. */
  readonly deadLetteredByReason: Readonly<Partial<Record<DeadLetterReason, number>>>;
  /** Calls that failed, throttled ones included, by the error's name; see {@link OTHER}. */
  readonly callErrors: ReadonlyMap<string, number>;
  /** Requests to SQS that failed, by the error's name or SQS's code; see {@link OTHER}. */
  readonly queueErrors: ReadonlyMap<string, number>;
}

/** Error names come from other systems: at most this many are counted by name, all further names as {@link OTHER}. */
const MOST_NAMES = 50;
/** The name under which the surplus names are counted. */
export const OTHER = 'other';

/** The activity of a worker at one moment. */
export interface ActivityNow {
  readonly counts: Counts;
  /** When a call was last answered with success, epoch milliseconds; undefined before the first. */
  readonly lastSuccess: number | undefined;
  /** Calls that ended, per second, over the last 10 s. */
  readonly callsPerSecond: number;
  /** Messages that ended applied, superseded or dead-lettered, per second, over the last 10 s. */
  readonly finishedPerSecond: number;
  /** Messages that this worker has deferred and that are not yet visible again. */
  readonly deferred: number;
  /** When the oldest of these deferred messages was sent, epoch milliseconds. */
  readonly oldestDeferred: number | undefined;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

export class Activity {
  readonly #clock: Clock;
  readonly #reasons: Mutable<Counts['deadLetteredByReason']> = {};
  readonly #callErrors = new Map<string, number>();
  readonly #queueErrors = new Map<string, number>();
  readonly #counts: Mutable<Counts> = {
    received: 0,
    applied: 0,
    superseded: 0,
    deadLettered: 0,
    deferred: 0,
    released: 0,
    calls: 0,
    throttled: 0,
    failed: 0,
    deadLetteredByReason: this.#reasons,
    callErrors: this.#callErrors,
    queueErrors: this.#queueErrors,
  };
  readonly #calls: Meter;
  readonly #finished: Meter;
  readonly #deferred = new Deferred();
  #lastSuccess: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#calls = new Meter(clock.monotonic());
    this.#finished = new Meter(clock.monotonic());
  }

  /** The live counts, which keep changing; `now` returns a copy. */
  get counts(): Counts {
    return this.#counts;
  }

  /** Must be called with every event of the worker. Bound: may be passed as a callback. */
  readonly observe = (event: WorkerEvent): void => {
    switch (event.type) {
      case 'received':
        this.#counts.received += event.count;
        break;
      case 'attempt': {
        const { failure } = event;
        this.#counts.calls++;
        this.#calls.add(this.#clock.monotonic());
        if (failure === undefined) this.#lastSuccess = this.#clock.wall();
        else {
          if (failure.kind === 'throttled') this.#counts.throttled++;
          else this.#counts.failed++;
          count(this.#callErrors, errorName(failure));
        }
        break;
      }
      case 'settled':
        this.#settled(event.disposition, event.subject.message.sentAt);
        break;
      case 'receive-failed':
      case 'settle-failed':
        count(this.#queueErrors, errorName(event.error));
        break;
      default:
    }
  };

  now(): ActivityNow {
    const now = this.#clock.monotonic();
    return {
      counts: {
        ...this.#counts,
        deadLetteredByReason: { ...this.#reasons },
        callErrors: new Map(this.#callErrors),
        queueErrors: new Map(this.#queueErrors),
      },
      lastSuccess: this.#lastSuccess,
      callsPerSecond: this.#calls.perSecond(now),
      finishedPerSecond: this.#finished.perSecond(now),
      ...this.#deferred.now(now),
    };
  }

  #settled(disposition: Disposition, sentAt: number): void {
    const counts = this.#counts;
    switch (disposition.action) {
      case 'acknowledge':
        counts[disposition.outcome]++;
        this.#finished.add(this.#clock.monotonic());
        break;
      case 'dead-letter': {
        const { reason } = disposition;
        counts.deadLettered++;
        this.#reasons[reason] = (this.#reasons[reason] ?? 0) + 1;
        this.#finished.add(this.#clock.monotonic());
        break;
      }
      case 'defer':
        counts.deferred++;
        this.#deferred.add(this.#clock.monotonic(), disposition.seconds, sentAt);
        break;
      case 'release':
        counts.released++;
        break;
    }
  }
}

function count(names: Map<string, number>, name: string): void {
  const key = names.has(name) || names.size < MOST_NAMES ? name : OTHER;
  names.set(key, (names.get(key) ?? 0) + 1);
}

/** Events per second over the last ten seconds, in buckets of one second. Times are monotonic milliseconds. */
class Meter {
  static readonly #SECONDS = 10;
  readonly #buckets = new Float64Array(Meter.#SECONDS);
  readonly #from: number;
  /** The second that the last event was counted in. */
  #second = 0;

  constructor(from: number) {
    this.#from = from;
  }

  add(now: number): void {
    this.#roll(now);
    const bucket = this.#second % Meter.#SECONDS;
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
  }

  perSecond(now: number): number {
    this.#roll(now);
    // The current second is not over, so the ten buckets span nine seconds and a part, or less soon after the start.
    const elapsed = (now - this.#from) / 1_000;
    const seconds = Math.min(elapsed, Meter.#SECONDS - 1 + (elapsed % 1));
    return this.#buckets.reduce((sum, each) => sum + each, 0) / Math.max(seconds, 1);
  }

  #roll(now: number): void {
    const second = Math.max(this.#second, Math.floor((now - this.#from) / 1_000));
    if (second - this.#second >= Meter.#SECONDS) this.#buckets.fill(0);
    else for (let at = this.#second + 1; at <= second; at++) this.#buckets[at % Meter.#SECONDS] = 0;
    this.#second = second;
  }
}

/** Deferred messages, by the second in which they become visible. `sentAt` is epoch milliseconds, other times monotonic. */
class Deferred {
  readonly #due = new Map<number, { messages: number; oldest: number }>();

  add(now: number, seconds: number, sentAt: number): void {
    const due = Math.ceil(now / 1_000 + seconds);
    const there = this.#due.get(due);
    if (there === undefined) {
      this.#forget(now);
      this.#due.set(due, { messages: 1, oldest: sentAt });
    } else {
      there.messages++;
      there.oldest = Math.min(there.oldest, sentAt);
    }
  }

  now(now: number): Pick<ActivityNow, 'deferred' | 'oldestDeferred'> {
    this.#forget(now);
    let deferred = 0;
    let oldestDeferred: number | undefined;
    for (const { messages, oldest } of this.#due.values()) {
      deferred += messages;
      oldestDeferred = Math.min(oldestDeferred ?? oldest, oldest);
    }
    return { deferred, oldestDeferred };
  }

  #forget(now: number): void {
    for (const due of this.#due.keys()) if (due * 1_000 <= now) this.#due.delete(due);
  }
}
