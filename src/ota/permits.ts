/**
 * Permits: permission to make one call. Combines the four bounds on calls: concurrency, rate, the gate, and the hold. Reports
 * when permits are overdue.
 */
import type { Gate } from './gate.ts';
import type { Hold } from './hold.ts';
import type { RateLimiter } from './rate/limiter.ts';

/** A place in the line for a permit. */
export interface PermitRequest {
  /** True: call now, then `release`. False: cancelled or closed, do not call. */
  readonly granted: Promise<boolean>;
  readonly settle: (granted: boolean) => void;
  /** The Identifier that the call is for; undefined for a call that no gate judges. */
  readonly identifier: string | undefined;
}

export interface PermitsOptions {
  readonly limiter: RateLimiter;
  readonly gate: Gate;
  readonly hold: Pick<Hold, 'held'>;
  /** The most calls in flight. */
  readonly maxConcurrency: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /**
   * True: permits are wanted, calls are not paused, and none has come for long; or a grant failed, with its error. False: one has
   * come again. May be called repeatedly with the same value.
   */
  readonly onOverdue?: (overdue: boolean, error?: unknown) => void;
  /** A permit is overdue after this time plus three times a grant's interval. In milliseconds; default: 10 s. */
  readonly overdueMs?: number;
}

const OVERDUE_MS = 10_000;
/** The wait after a failed grant before asking again, in milliseconds. */
const ASK_AGAIN_MS = 1_000;

/** First come, first served. A message that failed asks again and so goes to the end of the line, which makes probes rotate. */
export class Permits {
  readonly #options: PermitsOptions;
  readonly #line = new Set<PermitRequest>();
  #inFlight = 0;
  /** Permits of the last grant not handed out yet. A new grant replaces them, so that they never add up. */
  #available = 0;
  #granting = false;
  /** Since when only permits have been lacking: not room for a call, not the gate, not the end of a hold. */
  #lackingSince: number | undefined;
  #overdueTimer: NodeJS.Timeout | undefined;
  #overdue = false;
  #askAgainTimer: NodeJS.Timeout | undefined;
  #probe: PermitRequest | undefined;
  #probeTimer: NodeJS.Timeout | undefined;
  #planned = false;
  #closed = false;

  constructor(options: PermitsOptions) {
    this.#options = options;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get waiting(): number {
    return this.#line.size;
  }

  /** Whether calls wait for something other than the rate: for the gate to open, or for a hold to end. */
  get paused(): boolean {
    return this.#options.gate.closed || this.#options.hold.held;
  }

  /** @param identifier decides, while the gate is closed, when a call may be made. */
  request(identifier?: string): PermitRequest {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const request: PermitRequest = { granted: promise, settle: resolve, identifier };
    if (this.#closed) {
      resolve(false);
    } else {
      this.#line.add(request);
      this.pump();
    }
    return request;
  }

  /** Leaves the line. A request that was granted already stays granted. */
  cancel(request: PermitRequest): void {
    if (!this.#line.delete(request)) return;
    if (this.#line.size === 0) this.#notLacking();
    request.settle(false);
  }

  /** Ends the call that `request` was granted for, and frees its slot. */
  release(request: PermitRequest): void {
    this.#inFlight--;
    if (this.#probe === request) this.#probe = undefined;
    this.#pumpSoon();
  }

  /** Returns a permit without a call: it goes to the next request in line. */
  returnUnused(request: PermitRequest): void {
    if (Number.isFinite(this.#options.limiter.rate)) this.#available++;
    this.release(request);
  }

  /** Refuses all waiting and later requests. Calls in flight continue. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#probeTimer);
    clearTimeout(this.#overdueTimer);
    clearTimeout(this.#askAgainTimer);
    for (const request of this.#line) request.settle(false);
    this.#line.clear();
  }

  /** Hands out as many permits as possible. Must be called when the gate or the hold has changed. */
  pump(): void {
    if (this.#handOut()) this.#awaitGrant();
    else this.#notLacking();
  }

  /** @returns whether only permits are lacking. */
  #handOut(): boolean {
    const { gate, hold, maxConcurrency } = this.#options;
    if (hold.held) {
      // If kept, these permits would come in one burst with the first grant after the hold.
      this.#available = 0;
      return false;
    }
    if (gate.closed) {
      const probe = this.#inFlight < maxConcurrency ? this.#nextProbe() : undefined;
      if (probe === undefined) return false;
      if (!this.#takePermit()) return true;
      this.#give(probe);
      return false;
    }
    for (const request of this.#line) {
      if (this.#inFlight >= maxConcurrency) return false;
      if (!this.#takePermit()) return true;
      this.#give(request);
    }
    return false;
  }

  /** Takes one of the granted permits. @returns false when there is none. */
  #takePermit(): boolean {
    if (this.#available === 0) return this.#options.limiter.rate === Number.POSITIVE_INFINITY;
    this.#available--;
    return true;
  }

  /**
   * Once per turn of the event loop, not once per ended call: calls that begin together share the work of the sockets and of the
   * caches. A worker that drains a backlog needs a fifth less CPU this way (bench, drain).
   */
  #pumpSoon(): void {
    if (this.#planned || this.#closed) return;
    this.#planned = true;
    setImmediate(() => {
      this.#planned = false;
      this.pump();
    });
  }

  #give(request: PermitRequest): void {
    this.#line.delete(request);
    this.#inFlight++;
    if (this.#options.gate.closed) {
      this.#probe = request;
      this.#options.gate.probeStarted(request.identifier);
    }
    request.settle(true);
  }

  /**
   * The request that may be probed for now: one at a time, none before its time, and Identifiers whose probe has not failed
   * first. Sets the timer for the next probe.
   */
  #nextProbe(): PermitRequest | undefined {
    if (this.#probe !== undefined) return undefined;
    const { gate, now } = this.#options;
    let next: PermitRequest | undefined;
    let at = Number.POSITIVE_INFINITY;
    let hasFailed = false;
    // Few requests wait while the gate is closed.
    for (const request of this.#line) {
      const { identifier } = request;
      const probeAt = gate.probeAt(identifier);
      const failed = identifier !== undefined && gate.hasFailed(identifier);
      if (probeAt > at || (probeAt === at && !(hasFailed && !failed))) continue;
      next = request;
      at = probeAt;
      hasFailed = failed;
    }
    const delay = at - now();
    if (delay <= 0) return next;
    clearTimeout(this.#probeTimer);
    if (next !== undefined) this.#probeTimer = setTimeout(() => this.pump(), Math.ceil(delay));
    return undefined;
  }

  #awaitGrant(): void {
    const { limiter, gate } = this.#options;
    if (gate.closed) this.#notLacking();
    else this.#noteLacking();
    if (this.#granting || this.#closed) return;
    this.#granting = true;
    limiter.grant(gate.closed ? 1 : this.#line.size).then(
      (permits) => {
        this.#granting = false;
        // An unpaced grant is not stored: the rate decides each time whether a permit is needed.
        this.#available = Number.isFinite(permits) ? permits : 0;
        if (permits === 0) return;
        this.#notLacking();
        this.pump();
      },
      (error: unknown) => this.#askAgain(error),
    );
  }

  /** A bug in this program or in a library must not end the calls. */
  #askAgain(error: unknown): void {
    if (this.#closed) return;
    this.#setOverdue(true, error);
    this.#askAgainTimer = setTimeout(() => {
      this.#granting = false;
      this.pump();
    }, ASK_AGAIN_MS);
  }

  #notLacking(): void {
    this.#lackingSince = undefined;
    if (this.#overdue) this.#setOverdue(false);
  }

  get #overdueMs(): number {
    return this.#options.overdueMs ?? OVERDUE_MS;
  }

  #setOverdue(overdue: boolean, error?: unknown): void {
    this.#overdue = overdue;
    this.#options.onOverdue?.(overdue, error);
  }

  #noteLacking(): void {
    this.#lackingSince ??= this.#options.now();
    this.#overdueTimer ??= setTimeout(() => this.#checkOverdue(), this.#overdueMs);
  }

  /** The timer is not cleared with each grant: setting and clearing one per grant would cost more than the grant. */
  #checkOverdue(): void {
    this.#overdueTimer = undefined;
    if (this.#lackingSince === undefined) return;
    const { now, limiter } = this.#options;
    const left = this.#lackingSince + this.#overdueMs + 3 * limiter.intervalMs - now();
    if (left > 0)
      this.#overdueTimer = setTimeout(() => this.#checkOverdue(), Math.min(left, this.#overdueMs));
    else this.#setOverdue(true);
  }
}
