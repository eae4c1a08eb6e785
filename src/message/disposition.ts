/** One function decides whether to call again, one decides what becomes of a message (design 2.2). Both are pure. */
import { type BackoffSettings, deferralBackoff, fullJitter } from '../time/backoff.ts';
import type { DeadLetterError, DeadLetterReason } from './dead-letter.ts';
import type { Failure } from './failure.ts';

/** Share of the queue's retention at which a message is dead-lettered rather than left to vanish. */
export const EXPIRING_SHARE = 0.9;

/** What has happened to one message in this delivery so far. */
export interface Tally {
  /** API calls made. */
  attempts: number;
  /** Failed calls that count towards `MAX_ATTEMPTS`; back to 0 when an outage is found to be the cause. */
  counted: number;
  /** Throttled answers in a row. */
  throttledInARow: number;
}

export interface RetrySettings extends BackoffSettings {
  readonly maxAttempts: number;
}

export type RetryDecision =
  | {
      readonly retry: true;
      readonly delayMs: number /** This delivery's attempts are spent on answers the API did not give. */;
      readonly pause?: true;
    }
  | { readonly retry: false };

/**
 * Whether and when to call again within this delivery.
 * @param tally already includes the call that failed.
 * @param gateClosed calls are paused for no message's fault: then nothing counts and the permit does the waiting.
 */
export function decideRetry(
  failure: Failure,
  tally: Readonly<Tally>,
  gateClosed: boolean,
  settings: RetrySettings,
  random: () => number,
): RetryDecision {
  const wait = (failures: number): number =>
    Math.max(failure.retryAfterMs ?? 0, fullJitter(settings, failures, random));
  switch (failure.kind) {
    case 'throttled':
      return { retry: true, delayMs: wait(tally.throttledInARow) };
    case 'misconfigured':
      return { retry: true, delayMs: 0 };
    case 'retryable':
      if (gateClosed) return { retry: true, delayMs: failure.retryAfterMs ?? 0 };
      return tally.counted < settings.maxAttempts
        ? { retry: true, delayMs: wait(tally.counted) }
        : { retry: false };
    case 'unidentified':
      if (gateClosed) return { retry: true, delayMs: 0 };
      return tally.counted < settings.maxAttempts
        ? { retry: true, delayMs: wait(tally.counted) }
        : { retry: true, delayMs: 0, pause: true };
    case 'denied':
      return gateClosed ? { retry: true, delayMs: 0 } : { retry: false };
    case 'rejected':
    case 'internal':
      return { retry: false };
  }
}

/** How the work on one delivery ended. */
export type Ending =
  | { readonly kind: 'applied' }
  /** Not called for: newer values of all its fields were applied before. */
  | { readonly kind: 'superseded' }
  | { readonly kind: 'invalid'; readonly message: string }
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** Not ended: given up for reasons outside the message. The failure is the last one seen, if any. */
  | { readonly kind: 'given-up'; readonly deferSeconds?: number; readonly failure?: Failure };

/** What to do with the message now. */
export type Disposition =
  | { readonly action: 'acknowledge'; readonly outcome: 'applied' | 'superseded' }
  | { readonly action: 'dead-letter'; readonly reason: DeadLetterReason; readonly error: DeadLetterError }
  | { readonly action: 'defer'; readonly seconds: number }
  | { readonly action: 'release' };

export interface DispositionContext {
  readonly receiveCount: number;
  readonly maxDeliveries: number;
  /** Seconds until the message's age reaches {@link EXPIRING_SHARE} of the retention; 0 and below: it has. */
  readonly secondsToExpiring: number;
  readonly gateClosed: boolean;
}

/** What becomes of a message whose delivery ended so. */
export function decideDisposition(
  ending: Ending,
  context: DispositionContext,
  random: () => number,
): Disposition {
  const disposition = decideByEnding(ending, context, random);
  if (disposition.action !== 'defer' && disposition.action !== 'release') return disposition;
  if (context.secondsToExpiring <= 0)
    return { action: 'dead-letter', reason: 'Expiring', error: expiringError(ending) };
  if (disposition.action === 'release') return disposition;
  // Deferred for longer, it could vanish unseen.
  return { action: 'defer', seconds: Math.min(disposition.seconds, Math.floor(context.secondsToExpiring)) };
}

function decideByEnding(ending: Ending, context: DispositionContext, random: () => number): Disposition {
  switch (ending.kind) {
    case 'applied':
    case 'superseded':
      return { action: 'acknowledge', outcome: ending.kind };
    case 'invalid':
      return {
        action: 'dead-letter',
        reason: 'Invalid',
        error: { name: 'InvalidUpdate', message: ending.message },
      };
    case 'given-up':
      return ending.deferSeconds === undefined
        ? { action: 'release' }
        : { action: 'defer', seconds: ending.deferSeconds };
    case 'failed':
      return decideFailed(ending.failure, context, random);
  }
}

function decideFailed(failure: Failure, context: DispositionContext, random: () => number): Disposition {
  const spent = context.receiveCount >= context.maxDeliveries && !context.gateClosed;
  switch (failure.kind) {
    case 'denied':
      // Found guilty while calls are paused: the cause may be the same, and then nobody is to be blamed.
      if (context.gateClosed) return { action: 'release' };
      return { action: 'dead-letter', reason: 'Rejected', error: toError(failure) };
    case 'rejected':
      return { action: 'dead-letter', reason: 'Rejected', error: toError(failure) };
    case 'retryable':
      if (spent) return { action: 'dead-letter', reason: 'RetriesExhausted', error: toError(failure) };
      return { action: 'defer', seconds: deferralSeconds(context.receiveCount, random) };
    case 'internal':
      // A bug is ours whatever the API's state.
      if (context.receiveCount >= context.maxDeliveries) {
        return { action: 'dead-letter', reason: 'InternalError', error: toError(failure) };
      }
      return { action: 'defer', seconds: deferralSeconds(context.receiveCount, random) };
    case 'throttled':
    case 'misconfigured':
    case 'unidentified':
      return { action: 'release' };
  }
}

/** Seconds until a deferred message is visible again; full jitter by the receive count, rounded up. */
export function deferralSeconds(receiveCount: number, random: () => number): number {
  return Math.ceil(fullJitter(deferralBackoff, receiveCount, random) / 1_000);
}

function toError({ name, status, message, requestId }: Failure): DeadLetterError {
  return {
    name,
    ...(status !== undefined && { status }),
    message,
    ...(requestId !== undefined && { requestId }),
  };
}

function expiringError(ending: Ending): DeadLetterError {
  const failure = ending.kind === 'failed' || ending.kind === 'given-up' ? ending.failure : undefined;
  if (failure !== undefined) return toError(failure);
  return { name: 'Expiring', message: "90% of the queue's retention had passed before a call was made" };
}
