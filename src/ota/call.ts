/** The calls for one update. Each needs a permit and, if workers share marks, a claim. Its result is remembered. */
import { classify, type Failure } from '../message/failure.ts';
import { freshPart, type NewestField, staleFields } from '../message/newest.ts';
import type { Update } from '../message/update.ts';
import { remoteStack, remoteText } from '../text/remote.ts';
import { type BackoffSettings, fullJitter } from '../time/backoff.ts';
import type { Clock } from '../time/clock.ts';
import type { OtaApi } from './client.ts';
import type { Gate } from './gate.ts';
import type { Hold } from './hold.ts';
import type { ClaimWait, ClaimWaits } from './newest/claim-waits.ts';
import type { Claim, Newest } from './newest/newest.ts';
import type { PermitRequest, Permits } from './permits.ts';

/** One call that has ended, for observers and for the rate control. Times are monotonic milliseconds. */
export interface Attempt {
  readonly startedAt: number;
  readonly endedAt: number;
  /** Absent: the update was applied. */
  readonly failure?: Failure;
  readonly requestId?: string;
}

/** Waits for a call to be made, and may be interrupted meanwhile. */
export interface Waiter {
  readonly interrupted: boolean;
  /** Returns `wait`. An interruption ends it by calling `cancel`, which must do nothing when `wait` is over. */
  unlessInterrupted<T>(wait: Promise<T>, cancel: () => void): Promise<T>;
  /** Waits `ms` milliseconds, or until interrupted. */
  sleep(ms: number): Promise<void>;
}

export interface CallOptions {
  readonly api: OtaApi;
  readonly permits: Permits;
  readonly newest: Newest;
  readonly claimWaits: ClaimWaits;
  readonly gate: Gate;
  readonly hold: Hold;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Between tries for an Identifier whose claim another worker holds. */
const claimBackoff: BackoffSettings = { baseMs: 40, maxMs: 500 };

/** What one call needs. */
interface Leave {
  /** undefined: already returned. */
  permit: PermitRequest | undefined;
  /** The update without its superseded fields. */
  fresh: Update;
  claim: Claim | undefined;
}

/**
 * The calls for one update, one after the other: `prepare`, then `make`, then `remember`. In every case call `withdraw`
 * at the end, which releases whatever is still held.
 */
export class UpdateCall {
  readonly #options: CallOptions;
  readonly #update: Update;
  /** When the update was decided on, epoch milliseconds. */
  readonly #decidedAt: number;
  readonly #waiter: Waiter;
  #superseded: readonly NewestField[] = [];
  #leave: Leave | undefined;
  /** A call got no answer, so it may still take effect. */
  #unanswered = false;
  /** The claim of that call. The next call renews it; other updates wait until it expires. */
  #kept: Claim | undefined;

  constructor(options: CallOptions, update: Update, decidedAt: number, waiter: Waiter) {
    this.#options = options;
    this.#update = update;
    this.#decidedAt = decidedAt;
    this.#waiter = waiter;
  }

  /** Fields left out of the latest call, or of the call that was not made, because newer values had been applied. */
  get superseded(): readonly NewestField[] {
    return this.#superseded;
  }

  /**
   * Waits for permission to make one call: a permit, then the claim. The claim comes second because a permit may take
   * minutes and a claim is held for one call only. No call waits for a claim while holding a permit.
   * @returns `held`: another worker has the claim, and waiting for it must end.
   */
  async prepare(): Promise<'ready' | 'superseded' | 'interrupted' | 'held'> {
    const { newest, random, claimWaits } = this.#options;
    const { Identifier } = this.#update;
    let wait: ClaimWait | undefined;
    try {
      for (let tries = 1; ; tries++) {
        const fresh = this.#fresh();
        if (fresh === undefined) return 'superseded';
        const permit = await this.#permit();
        if (permit === undefined) return 'interrupted';
        const leave: Leave = { permit, fresh, claim: undefined };
        this.#leave = leave;
        const claiming = newest.claim(Identifier, this.#kept);
        // Without shared marks nothing can have changed: calls for one Identifier never overlap in a process.
        if (claiming === undefined) return 'ready';
        const claimed = await this.#claim(leave, claiming);
        if (claimed !== 'held') return claimed;
        wait ??= claimWaits.begin(Identifier);
        if (wait === undefined || wait.isOver()) return 'held';
        await this.#waiter.sleep(fullJitter(claimBackoff, tries, random));
      }
    } finally {
      wait?.end();
    }
  }

  /** Releases the permit and the claim that `prepare` obtained and no call has used, if any. */
  withdraw(): void {
    if (this.#leave === undefined) return;
    const { permit, claim } = this.#leave;
    this.#leave = undefined;
    if (permit !== undefined) this.#options.permits.returnUnused(permit);
    if (claim !== undefined) this.#options.newest.release(claim, this.#unanswered);
  }

  /**
   * Makes the call that `prepare` obtained permission for. Never throws: a bug in this program becomes a failure of kind
   * `internal`.
   * @param signal aborts the call.
   * @returns how the call ended; undefined when it was aborted.
   */
  async make(signal: AbortSignal): Promise<Attempt | undefined> {
    const { api, permits, gate, hold, clock } = this.#options;
    const leave = this.#leave;
    if (leave?.permit === undefined) throw new Error('a call needs a permit: prepare() comes first');
    const { permit, fresh } = leave;
    leave.permit = undefined;
    const startedAt = clock.monotonic();
    const call = hold.begin(fresh.Identifier, startedAt);
    try {
      const answer = await api.updateOtaTask(fresh, signal);
      const endedAt = clock.monotonic();
      if (!answer.ok && signal.aborted) {
        this.#unanswered = true;
        return undefined;
      }
      const failure = answer.ok ? undefined : classify(answer.error, clock.wall());
      if (failure?.kind === 'retryable' && failure.status === undefined) this.#unanswered = true;
      gate.observe(fresh.Identifier, failure, startedAt);
      hold.ended(call, failure ?? 'accepted');
      const requestId = answer.ok ? answer.requestId : failure?.requestId;
      return {
        startedAt,
        endedAt,
        ...(failure !== undefined && { failure }),
        ...(requestId !== undefined && { requestId }),
      };
    } catch (thrown) {
      return { startedAt, endedAt: clock.monotonic(), failure: bugFailure(thrown) };
    } finally {
      hold.ended(call, 'unanswered');
      // Only after gate and hold have seen the answer: they decide whether the next call may be made.
      permits.release(permit);
    }
  }

  /**
   * Ends the call: the applied fields are remembered for all workers, and the claim is released.
   * @returns a promise if that takes a request. Await it before the update ends as applied.
   */
  remember(applied: boolean): Promise<void> | undefined {
    if (this.#leave === undefined) return undefined;
    const { fresh, claim } = this.#leave;
    const { newest } = this.#options;
    this.#leave = undefined;
    if (this.#unanswered) this.#kept = claim;
    if (applied) return newest.applied(fresh.Identifier, fresh, this.#decidedAt, claim, this.#unanswered);
    if (claim !== undefined) newest.release(claim, this.#unanswered);
    return undefined;
  }

  /** Adds the claim to `leave`, or withdraws `leave`. @returns `held` when another worker has the claim. */
  async #claim(
    leave: Leave,
    claiming: Promise<Claim | 'held' | undefined>,
  ): Promise<'ready' | 'superseded' | 'interrupted' | 'held'> {
    const claim = await claiming;
    if (claim !== 'held') {
      leave.claim = claim;
      this.#options.claimWaits.had(this.#update.Identifier);
    }
    const { interrupted } = this.#waiter;
    // The marks of all workers are known only after the claim.
    const fresh = claim === 'held' || interrupted ? undefined : this.#fresh();
    if (fresh !== undefined) {
      leave.fresh = fresh;
      return 'ready';
    }
    this.withdraw();
    if (interrupted) return 'interrupted';
    return claim === 'held' ? 'held' : 'superseded';
  }

  /** What is left of the update according to the marks known here. */
  #fresh(): Update | undefined {
    const marks = this.#options.newest.known(this.#update.Identifier);
    if (marks === undefined) {
      this.#superseded = [];
      return this.#update;
    }
    this.#superseded = staleFields(this.#update, this.#decidedAt, marks);
    return freshPart(this.#update, this.#superseded);
  }

  /** @returns the permit; undefined when the waiter was interrupted or permits are closed. */
  async #permit(): Promise<PermitRequest | undefined> {
    const { permits } = this.#options;
    if (this.#waiter.interrupted) return undefined;
    const request = permits.request(this.#update.Identifier);
    const granted = await this.#waiter.unlessInterrupted(request.granted, () => permits.cancel(request));
    if (!granted) return undefined;
    if (!this.#waiter.interrupted) return request;
    // Interrupted between the grant and now.
    permits.returnUnused(request);
    return undefined;
  }
}

/** A bug in this program, as a failure. */
export function bugFailure(thrown: unknown): Failure {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return {
    kind: 'internal',
    name: error.name,
    message: remoteText(error.message),
    ...(error.stack !== undefined && { stack: remoteStack(error.stack) }),
  };
}
