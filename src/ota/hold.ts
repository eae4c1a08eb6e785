/** The hold on all calls: observes how calls end, and reports when a hold begins and ends. Its rules are in hold-state.ts. */
import { type Failure, type FailureKind, waitAfter } from '../message/failure.ts';
import { accepted, type Call, free, throttled, timePassed } from './hold-state.ts';

/** The beginning or the end of a hold, for logs, metrics and the rate control. */
export type HoldChange =
  | {
      readonly held: true;
      /** How long, in milliseconds, unless the API names a later time or accepts a call. */
      readonly forMs: number;
      /** The answer that caused the hold. */
      readonly failure: Failure;
    }
  | {
      readonly held: false;
      /** Since when and until when calls were held, monotonic milliseconds. */
      readonly from: number;
      readonly to: number;
      readonly because: 'time' | 'accepted';
    };

export interface HoldOptions {
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly onChange: (change: HoldChange) => void;
}

/** Answers given after the API has examined the request, so it has let the call through. */
const letThrough: ReadonlySet<FailureKind> = new Set(['rejected', 'conflict']);

export class Hold {
  readonly #options: HoldOptions;
  readonly #open = new Set<Call>();
  #state = free;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: HoldOptions) {
    this.#options = options;
  }

  /** Whether no call may begin now. */
  get held(): boolean {
    return this.#state.held;
  }

  /** The start and end of the current hold, monotonic milliseconds; undefined while calls are not held. */
  get span(): { readonly since: number; readonly until: number } | undefined {
    if (!this.#state.held) return undefined;
    const { since, until } = this.#state;
    return { since, until };
  }

  /** A call begins. When it has ended, in whatever way, `ended` must be called with the returned value. */
  begin(identifier: string, startedAt: number): Call {
    const call = { identifier, startedAt };
    this.#open.add(call);
    return call;
  }

  /** A call has ended: accepted, failed, or without an answer. Only the first report about a call counts. */
  ended(call: Call, how: Failure | 'accepted' | 'unanswered'): void {
    if (!this.#open.delete(call) || this.#closed || how === 'unanswered') return;
    if (how === 'accepted' || letThrough.has(how.kind)) this.#accepted(call);
    else if (how.kind === 'throttled') this.#throttled(call, how);
  }

  /** From now on nothing is held, and no change is reported. */
  close(): void {
    this.#closed = true;
    this.#state = free;
    clearTimeout(this.#timer);
  }

  #accepted({ startedAt }: Call): void {
    const before = this.#state;
    this.#state = accepted(before, startedAt);
    if (before.held && !this.#state.held) this.#ended(before.since, 'accepted');
  }

  #throttled(call: Call, failure: Failure): void {
    const waitMs = waitAfter(failure, 0);
    if (waitMs <= 0) return;
    const now = this.#options.now();
    const before = this.#state;
    const after = throttled(before, { ...call, until: now + waitMs }, this.#open, now);
    this.#state = after;
    if (before.held || !after.held) return;
    this.#await(after.until - now);
    this.#options.onChange({ held: true, forMs: after.until - now, failure });
  }

  /** The timer may fire early, and a later time may have been named meanwhile. */
  #await(ms: number): void {
    this.#timer = setTimeout(() => {
      const now = this.#options.now();
      const before = this.#state;
      const after = timePassed(before, now);
      this.#state = after;
      if (after.held) this.#await(after.until - now);
      else if (before.held) this.#ended(before.since, 'time');
    }, Math.ceil(ms));
  }

  #ended(from: number, because: 'time' | 'accepted'): void {
    clearTimeout(this.#timer);
    this.#options.onChange({ held: false, from, to: this.#options.now(), because });
  }
}
