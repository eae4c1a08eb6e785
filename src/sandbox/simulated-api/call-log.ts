import type { UpdateInput } from './validation.ts';

/** How an UpdateOtaTask call was answered: a status, or what happened instead of an answer. */
export type CallStatus = number | 'hang' | 'reset' | 'apply-then-reset';

/** One UpdateOtaTask call. */
export interface SimulatedCall {
  readonly identifier: string;
  /** When it arrived, ms. */
  readonly at: number;
  readonly status: CallStatus;
  /** The known fields that are strings, whether valid or not. */
  readonly input: UpdateInput;
}

/** Counts since the start; all but `reads` concern UpdateOtaTask. */
export interface SimulatedApiStats {
  readonly calls: number;
  /** By {@link CallStatus}. */
  readonly byStatus: Readonly<Record<string, number>>;
  /** Throttling answers: by the limit, by a fault, or scripted. */
  readonly throttled: number;
  /** Updates that took effect, including those whose answer was lost. */
  readonly applied: number;
  /** Calls that are neither answered nor given up by the client. */
  readonly inFlight: number;
  readonly maxInFlight: number;
  readonly maxInFlightPerIdentifier: number;
  /** All other operations. */
  readonly reads: { readonly calls: number; readonly byStatus: Readonly<Record<string, number>> };
}

interface Waiter {
  readonly predicate: () => boolean;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** Counts and records the calls, informs listeners, and resolves `waitFor`. */
export class CallLog {
  readonly #record: boolean;
  readonly #records = new Map<string, SimulatedCall[]>();
  readonly #listeners = new Set<(call: SimulatedCall) => void>();
  readonly #waiters = new Set<Waiter>();
  readonly #byStatus = new Map<CallStatus, number>();
  readonly #readsByStatus = new Map<number, number>();
  readonly #inFlight = new Map<string, number>();
  #closed = false;
  #calls = 0;
  #throttled = 0;
  #applied = 0;
  #inFlightTotal = 0;
  #maxInFlight = 0;
  #maxInFlightPerIdentifier = 0;
  #reads = 0;

  /** @param record keep every call for {@link callsFor}. */
  constructor(record: boolean) {
    this.#record = record;
  }

  /** A call has arrived. */
  begin(identifier: string): void {
    const own = (this.#inFlight.get(identifier) ?? 0) + 1;
    this.#inFlight.set(identifier, own);
    this.#inFlightTotal += 1;
    if (own > this.#maxInFlightPerIdentifier) this.#maxInFlightPerIdentifier = own;
    if (this.#inFlightTotal > this.#maxInFlight) this.#maxInFlight = this.#inFlightTotal;
  }

  /** The answer of a call is decided, and its update applied. */
  decide(call: SimulatedCall, effects: { readonly applied: boolean; readonly throttled: boolean }): void {
    this.#calls += 1;
    this.#byStatus.set(call.status, (this.#byStatus.get(call.status) ?? 0) + 1);
    if (effects.applied) this.#applied += 1;
    if (effects.throttled) this.#throttled += 1;
    if (this.#record) {
      const records = this.#records.get(call.identifier);
      if (records === undefined) this.#records.set(call.identifier, [call]);
      else records.push(call);
    }
    for (const listener of this.#listeners) listener(call);
    this.#recheck();
  }

  /** A call is about to be answered, or its client has gone. */
  end(identifier: string): void {
    const own = (this.#inFlight.get(identifier) ?? 0) - 1;
    if (own > 0) this.#inFlight.set(identifier, own);
    else this.#inFlight.delete(identifier);
    this.#inFlightTotal -= 1;
    this.#recheck();
  }

  /** A call of an operation other than UpdateOtaTask. */
  read(status: number): void {
    this.#reads += 1;
    this.#readsByStatus.set(status, (this.#readsByStatus.get(status) ?? 0) + 1);
    this.#recheck();
  }

  stats(): SimulatedApiStats {
    return {
      calls: this.#calls,
      byStatus: Object.fromEntries(this.#byStatus),
      throttled: this.#throttled,
      applied: this.#applied,
      inFlight: this.#inFlightTotal,
      maxInFlight: this.#maxInFlight,
      maxInFlightPerIdentifier: this.#maxInFlightPerIdentifier,
      reads: { calls: this.#reads, byStatus: Object.fromEntries(this.#readsByStatus) },
    };
  }

  callsFor(identifier: string): readonly SimulatedCall[] {
    return [...(this.#records.get(identifier) ?? [])];
  }

  onCall(listener: (call: SimulatedCall) => void): () => void {
    // A wrapper, so that the same function can be added twice and removed once.
    const own = (call: SimulatedCall) => listener(call);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  /** Resolves once `predicate` holds: checked now and after each call. Rejects if it throws, and on close. */
  waitFor(predicate: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      if (predicate()) resolve();
      else if (this.#closed) reject(closedError());
      else this.#waiters.add({ predicate, resolve, reject });
    });
  }

  /** Rejects every pending `waitFor`. */
  close(): void {
    this.#closed = true;
    for (const waiter of this.#waiters) waiter.reject(closedError());
    this.#waiters.clear();
  }

  #recheck(): void {
    for (const waiter of this.#waiters) {
      try {
        if (!waiter.predicate()) continue;
        waiter.resolve();
      } catch (error) {
        waiter.reject(error);
      }
      this.#waiters.delete(waiter);
    }
  }
}

function closedError(): Error {
  return new Error('the simulated API was closed while waiting');
}
