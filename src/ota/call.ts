/** One update, called until it ends: retry around permit around call (design 5.2). */

import { decideRetry, type Ending, type RetrySettings, type Tally } from '../message/disposition.ts';
import { classify, type Failure, safeMessage } from '../message/failure.ts';
import { freshPart, type NewestField, staleFields } from '../message/newest.ts';
import type { Update } from '../message/update.ts';
import { type BackoffSettings, fullJitter } from '../time/backoff.ts';
import type { Clock } from '../time/clock.ts';
import type { CallAnswer, OtaApi } from './client.ts';
import type { Gate } from './gate.ts';
import type { Interruption } from './interruption.ts';
import type { Claim, Newest } from './newest/newest.ts';
import type { PermitRequest, Permits } from './permits.ts';
import { FailedCall, withRetry } from './retry.ts';

/** One attempt that has ended, for observers and for the rate. Times are monotonic milliseconds. */
export interface Attempt {
  readonly number: number;
  readonly startedAt: number;
  readonly endedAt: number;
  /** Absent: it was applied. */
  readonly failure?: Failure;
  readonly requestId?: string;
}

/** What a call works on: counts that outlive it, and what it may be told meanwhile. */
export interface Work {
  readonly tally: Tally;
  readonly interruption: Interruption;
  /** When the update was decided on, epoch milliseconds: the newest wins. */
  readonly decidedAt: number;
  /** Fields left out of the last attempt, because newer values were applied before. */
  superseded: readonly NewestField[];
  /** True from the moment a call is made until its answer is in. */
  calling: boolean;
  /** Aborts its call in flight in the deadline's stead. */
  readonly signal?: AbortSignal | undefined;
}

export interface CallerOptions<W extends Work> {
  readonly api: OtaApi;
  readonly permits: Permits;
  readonly newest: Newest;
  readonly gate: Gate;
  readonly retry: RetrySettings;
  readonly clock: Clock;
  readonly random: () => number;
  /** Aborts calls in flight: the hard end of a shutdown. */
  readonly deadline: AbortSignal;
  /** Whether the message is still ours; else no call is made for it, whoever was too late to say so. Default: yes. */
  readonly holds?: (work: W) => boolean;
  /** A call begins: one less is waiting. */
  readonly onStart: () => void;
  readonly onAttempt: (work: W, attempt: Attempt) => void;
}

const GIVEN_UP = Symbol('given up');
const SUPERSEDED = Symbol('superseded');

/** Between tries for an Identifier that another worker calls for. */
const claimBackoff: BackoffSettings = { baseMs: 40, maxMs: 500 };

/** Leave to make one call, and what is left to be said in it. */
interface Entry {
  readonly permit: PermitRequest;
  readonly fresh: Update;
  readonly claim: Claim | undefined;
}

/** What the attempts of one run hand on to the next. */
interface Trail {
  /** A call got no answer: it may take effect yet. */
  unanswered: boolean;
  /** The claim that it was made under, kept from others for a while; the next attempt goes on with it. */
  kept: Claim | undefined;
}

export class Caller<W extends Work> {
  readonly #options: CallerOptions<W>;

  constructor(options: CallerOptions<W>) {
    this.#options = options;
  }

  /**
   * Calls UpdateOtaTask until it succeeds, fails for good in this delivery, or the work is interrupted. Fields that a
   * newer update has set meanwhile are left out; with none left there is no call. Never throws.
   */
  async run(update: Update, work: W): Promise<Ending> {
    let last: Failure | undefined;
    const trail: Trail = { unanswered: false, kept: undefined };
    let closures = this.#options.gate.closures;
    const again = async (failure: Failure): Promise<boolean> => {
      last = failure;
      const { gate, retry, random } = this.#options;
      if (closures !== gate.closures) {
        // The gate has closed since: what failed before was not this message's doing.
        closures = gate.closures;
        work.tally.counted = 0;
      }
      const decision = decideRetry(failure, work.tally, gate.closed, retry, random);
      if (!decision.retry) return false;
      if (decision.pause) gate.close('misconfigured', failure);
      await work.interruption.sleep(decision.delayMs);
      return true;
    };
    try {
      const result = await withRetry(() => this.#attempt(update, work, trail), again);
      if (result instanceof FailedCall) return { kind: 'failed', failure: result.failure };
      if (result === 'applied') return { kind: 'applied' };
      if (result === SUPERSEDED) return { kind: 'superseded' };
      return {
        kind: 'given-up',
        ...work.interruption.requested,
        ...(last !== undefined && { failure: last }),
      };
    } catch (thrown) {
      return { kind: 'failed', failure: bug(thrown) };
    }
  }

  async #attempt(
    update: Update,
    work: W,
    trail: Trail,
  ): Promise<'applied' | typeof SUPERSEDED | typeof GIVEN_UP> {
    const entry = await this.#enter(update, work, trail);
    if (typeof entry === 'symbol') return entry;
    const { newest } = this.#options;
    const { fresh, claim } = entry;
    let applied = false;
    try {
      const result = await this.#call(entry, work, trail);
      applied = result === 'applied';
      return result;
    } finally {
      // Awaited: an update that ends as applied is remembered by then, wherever it can be.
      const { unanswered } = trail;
      if (applied) await newest.applied(fresh.Identifier, fresh, work.decidedAt, claim, unanswered);
      else if (claim !== undefined) newest.release(claim, unanswered);
      if (unanswered) trail.kept = claim;
    }
  }

  /**
   * A permit, then the claim: waiting for a permit may take minutes, and a claim is held for one call only, so it is
   * not renewed while backing off. Nobody waits for a claim with a permit in hand.
   */
  async #enter(update: Update, work: W, trail: Trail): Promise<Entry | typeof SUPERSEDED | typeof GIVEN_UP> {
    const { newest, permits, random } = this.#options;
    for (let tries = 1; ; tries++) {
      let fresh = this.#fresh(update, work);
      if (fresh === undefined) return SUPERSEDED;
      const permit = await this.#permit(work);
      if (permit === undefined) return GIVEN_UP;
      const claiming = newest.claim(update.Identifier, trail.kept);
      // Alone nothing can have changed: calls for one Identifier are never made at once in a process.
      if (claiming === undefined) return { permit, fresh, claim: undefined };
      const claim = await claiming;
      const givenUp = work.interruption.requested !== undefined;
      fresh = claim === 'held' || givenUp ? undefined : this.#fresh(update, work);
      if (fresh !== undefined && claim !== 'held') return { permit, fresh, claim };
      permits.giveBack(permit);
      if (claim !== undefined && claim !== 'held') newest.release(claim, trail.unanswered);
      if (givenUp) return GIVEN_UP;
      if (claim !== 'held') return SUPERSEDED;
      await work.interruption.sleep(fullJitter(claimBackoff, tries, random));
    }
  }

  /** What is left of `update` by the marks known here. */
  #fresh(update: Update, work: W): Update | undefined {
    work.superseded = staleFields(update, work.decidedAt, this.#options.newest.known(update.Identifier));
    return freshPart(update, work.superseded);
  }

  async #call({ permit, fresh: update }: Entry, work: W, trail: Trail): Promise<'applied' | typeof GIVEN_UP> {
    const { api, permits, gate, clock, deadline, onStart, onAttempt } = this.#options;
    if (this.#options.holds?.(work) === false) {
      permits.giveBack(permit);
      work.interruption.request({});
      return GIVEN_UP;
    }
    const { tally, signal = deadline } = work;
    const startedAt = clock.monotonic();
    work.calling = true;
    tally.attempts++;
    let answer: CallAnswer;
    try {
      onStart();
      answer = await api.updateOtaTask(update, signal);
    } catch (thrown) {
      permits.release(permit);
      const endedAt = clock.monotonic();
      onAttempt(work, { number: tally.attempts, startedAt, endedAt, failure: bug(thrown) });
      throw thrown;
    } finally {
      work.calling = false;
    }
    const endedAt = clock.monotonic();
    if (!answer.ok && signal.aborted) {
      trail.unanswered = true;
      permits.release(permit);
      work.interruption.request({});
      return GIVEN_UP;
    }
    const failure = answer.ok ? undefined : classify(answer.error, clock.wall());
    gate.observe(update.Identifier, failure);
    permits.release(permit);
    const requestId = answer.ok ? answer.requestId : failure?.requestId;
    onAttempt(work, {
      number: tally.attempts,
      startedAt,
      endedAt,
      ...(failure !== undefined && { failure }),
      ...(requestId !== undefined && { requestId }),
    });
    if (failure === undefined) return 'applied';
    if (failure.kind === 'retryable' && failure.status === undefined) trail.unanswered = true;
    tally.throttledInARow = failure.kind === 'throttled' ? tally.throttledInARow + 1 : 0;
    // A probe says nothing of the message.
    if (!gate.closed && (failure.kind === 'retryable' || failure.kind === 'unidentified')) tally.counted++;
    throw new FailedCall(failure);
  }

  /** The permit, or undefined when the work was interrupted or permits are closed. */
  async #permit(work: W): Promise<PermitRequest | undefined> {
    const { permits } = this.#options;
    if (work.interruption.requested !== undefined) return undefined;
    const request = permits.request();
    work.interruption.onRequest(() => permits.cancel(request));
    const granted = await request.granted;
    work.interruption.onRequest(undefined);
    if (!granted) return undefined;
    if (work.interruption.requested === undefined) return request;
    // Asked to give up between the grant and now.
    permits.release(request);
    return undefined;
  }
}

function bug(thrown: unknown): Failure {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return {
    kind: 'internal',
    name: error.name,
    message: safeMessage(error.message),
    ...(error.stack !== undefined && { stack: error.stack }),
  };
}
