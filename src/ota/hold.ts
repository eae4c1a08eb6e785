/** The hold on all calls: takes in how calls end, and says when it begins and when it is over. Its rules are in hold-state.ts. */
import { type Failure, type FailureKind, waitAfter } from '../message/failure.ts';
import { accepted, type Call, free, throttled, timePassed } from './hold-state.ts';

/** The beginning or the end of a hold, for logs, metrics and the rate. */
export type HoldChange =
  | {
      readonly held: true;
      /** For so long, in milliseconds, unless the API names a later time or accepts a call. */
      readonly forMs: number;
      /** The answer that made it. */
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

/** The API has looked into the request: it has let the call through. */
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

  /** Since when and until when calls are held, monotonic milliseconds; undefined while they are not. */
  get span(): { readonly since: number; readonly until: number } | undefined {
    if (!this.#state.held) return undefined;
    const { since, until } = this.#state;
    return { since, until };
  }

  /** A call begins. However it ends, `ended` is to be called with what is returned. */
  begin(identifier: string, startedAt: number): Call {
    const call = { identifier, startedAt };
    this.#open.add(call);
    return call;
  }

  /** A call has ended: was it `accepted`, did it fail, or was there no answer? What is said of it first counts. */
  ended(call: Call, how: Failure | 'accepted' | 'unanswered'): void {
    if (!this.#open.delete(call) || this.#closed || how === 'unanswered') return;
    if (how === 'accepted' || letThrough.has(how.kind)) this.#accepted(call);
    else if (how.kind === 'throttled') this.#throttled(call, how);
  }

  /** Nothing is held from now on, and nobody is told. */
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

  /** A timer may be early, and a later time may have been named meanwhile. */
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
