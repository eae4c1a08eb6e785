/** Permits: leave to make one call. Joins the three bounds on calls: concurrency, rate, and the gate. */
import type { Gate } from './gate.ts';
import type { RateLimiter } from './rate/limiter.ts';

/** A place in the line for a permit. */
export interface PermitRequest {
  /** True: call now, then `release`. False: cancelled or closed, do not call. */
  readonly granted: Promise<boolean>;
  readonly settle: (granted: boolean) => void;
  /** Whom the call is for; undefined for a call that no gate judges. */
  readonly identifier: string | undefined;
}

export interface PermitsOptions {
  readonly limiter: RateLimiter;
  readonly gate: Gate;
  /** Calls in flight at most. */
  readonly maxConcurrency: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** First come, first served; a message that failed asks again and so goes to the end, which makes probes rotate. */
export class Permits {
  readonly #options: PermitsOptions;
  readonly #line = new Set<PermitRequest>();
  #inFlight = 0;
  /** Permits of the last grant not handed out yet; a new grant replaces them, so that they never add up. */
  #available = 0;
  #granting = false;
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

  /** Leaves the line; a request that was granted already stays granted. */
  cancel(request: PermitRequest): void {
    if (this.#line.delete(request)) request.settle(false);
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
    for (const request of this.#line) request.settle(false);
    this.#line.clear();
  }

  /** Hands out what can be handed out; to be called when the gate has changed. */
  pump(): void {
    const { gate, maxConcurrency } = this.#options;
    if (gate.closed) {
      const probe = this.#inFlight < maxConcurrency ? this.#nextProbe() : undefined;
      if (probe !== undefined && this.#takePermit()) this.#give(probe);
      return;
    }
    for (const request of this.#line) {
      if (this.#inFlight >= maxConcurrency || !this.#takePermit()) return;
      this.#give(request);
    }
  }

  /** One of those granted; false: a grant is awaited, and `pump` called when it is there. */
  #takePermit(): boolean {
    if (this.#available > 0) {
      this.#available--;
    } else if (this.#options.limiter.rate !== Number.POSITIVE_INFINITY) {
      this.#awaitGrant();
      return false;
    }
    return true;
  }

  /**
   * Once per turn of the event loop, not once per call that has ended: calls that begin together share the work of the
   * sockets and of the caches. A worker that drains a backlog needs a fifth less CPU for it (bench, drain).
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

  /** Who may be called for now: one at a time, none before its time. Sets the timer for the next. */
  #nextProbe(): PermitRequest | undefined {
    if (this.#probe !== undefined) return undefined;
    const { gate, now } = this.#options;
    let next: PermitRequest | undefined;
    let at = Number.POSITIVE_INFINITY;
    // Few wait while the gate is closed.
    for (const request of this.#line) {
      const probeAt = gate.probeAt(request.identifier);
      if (probeAt >= at) continue;
      next = request;
      at = probeAt;
    }
    const delay = at - now();
    if (delay <= 0) return next;
    clearTimeout(this.#probeTimer);
    if (next !== undefined) this.#probeTimer = setTimeout(() => this.pump(), Math.ceil(delay));
    return undefined;
  }

  #awaitGrant(): void {
    if (this.#granting) return;
    this.#granting = true;
    void this.#options.limiter.grant().then((permits) => {
      this.#granting = false;
      // An unpaced grant is no stock: the rate decides each time whether a permit is needed.
      this.#available = Number.isFinite(permits) ? permits : 0;
      if (permits > 0) this.pump();
    });
  }
}
