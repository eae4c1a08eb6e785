/** Whether to call again, and the disposition of a message (ARCHITECTURE.md, Failures). PURE. */
import { type BackoffSettings, fullJitter } from '../time/backoff.ts';
import type { DeadLetterError, DeadLetterReason } from './dead-letter-record.ts';
import { type Failure, waitAfter } from './failure.ts';
import type { Message } from './message.ts';
import type { NewestField } from './newest.ts';

/** The share of the queue's retention after which a message is dead-lettered, before SQS deletes it. */
const EXPIRING_SHARE = 0.9;

/** Between deliveries. */
const deferralBackoff: BackoffSettings = { baseMs: 5_000, maxMs: 120_000 };

/** Counts of one delivery. */
export interface Tally {
  /** API calls made. */
  attempts: number;
  /** Failed calls that count towards `MAX_ATTEMPTS`; reset when the gate closes, since the message did not cause them. */
  counted: number;
  /** Throttled answers in a row. */
  throttledInARow: number;
}

export interface RetrySettings extends BackoffSettings {
  readonly maxAttempts: number;
}

export type RetryDecision = { readonly retry: true; readonly delayMs: number } | { readonly retry: false };

/**
 * Whether and when to call again within this delivery.
 * @param tally already includes the call that failed.
 * @param gateClosed calls are paused: failures then do not count, and the delivery waits for its permit instead.
 */
export function decideRetry(
  failure: Failure,
  tally: Readonly<Tally>,
  gateClosed: boolean,
  settings: RetrySettings,
  random: () => number,
): RetryDecision {
  const wait = (failures: number): number => waitAfter(failure, fullJitter(settings, failures, random));
  const again = (): RetryDecision =>
    tally.counted < settings.maxAttempts ? { retry: true, delayMs: wait(tally.counted) } : { retry: false };
  switch (failure.kind) {
    case 'throttled':
      return { retry: true, delayMs: wait(tally.throttledInARow) };
    case 'misconfigured':
    case 'unreachable':
      return { retry: true, delayMs: 0 };
    case 'retryable':
    case 'unidentified':
      if (gateClosed) return { retry: true, delayMs: waitAfter(failure, 0) };
      return again();
    case 'conflict':
      return again();
    case 'denied':
      return gateClosed ? { retry: true, delayMs: 0 } : { retry: false };
    case 'rejected':
    case 'internal':
      return { retry: false };
  }
}

/**
 * Records a failed call.
 * @param gateClosed the call was a probe, or calls were paused meanwhile: it shows nothing about the message.
 */
export function countFailure(tally: Tally, failure: Failure, gateClosed: boolean): void {
  tally.throttledInARow = failure.kind === 'throttled' ? tally.throttledInARow + 1 : 0;
  // A conflict concerns the message, whatever the state of the gate.
  if (failure.kind === 'conflict' || (!gateClosed && countsWhileOpen(failure))) tally.counted++;
}

/** Whether a failure is evidence against its message, unless calls are paused for a common cause. */
export function countsWhileOpen({ kind }: Failure): boolean {
  return kind === 'retryable' || kind === 'unidentified';
}

/** How the calls for one delivery ended. */
export type Ending =
  /** `superseded`: fields left out of the call, because newer values of them had been applied. */
  | { readonly kind: 'applied'; readonly superseded: readonly NewestField[] }
  /** Not called for: newer values of all its fields had been applied. */
  | { readonly kind: 'superseded'; readonly superseded: readonly NewestField[] }
  | { readonly kind: 'invalid'; readonly message: string }
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** The delivery was interrupted for a reason outside the message. `failure` is the last one, if any. */
  | { readonly kind: 'given-up'; readonly deferSeconds?: number; readonly failure?: Failure };

/** How to settle the message. */
export type Disposition =
  | { readonly action: 'acknowledge'; readonly outcome: 'applied' | 'superseded' }
  | { readonly action: 'dead-letter'; readonly reason: DeadLetterReason; readonly error: DeadLetterError }
  | { readonly action: 'defer'; readonly seconds: number }
  | { readonly action: 'release' };

export interface DispositionContext {
  readonly receiveCount: number;
  readonly maxDeliveries: number;
  /** Seconds until the message's age reaches {@link EXPIRING_SHARE} of the retention; 0 or less when it has. */
  readonly secondsToExpiring: number;
  readonly gateClosed: boolean;
}

/**
 * Seconds until the message must no longer stay in the queue; 0 and below: now.
 * @param now epoch milliseconds.
 */
export function secondsToExpiring(message: Message, retentionSeconds: number, now: number): number {
  return retentionSeconds * EXPIRING_SHARE - (now - message.sentAt) / 1_000;
}

/** The disposition of a message whose delivery ended with `ending`. */
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
  // With a longer deferral, SQS could delete the message before the next delivery.
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
      // Denied while calls are paused: the cause may be common to all, and then no message is at fault.
      if (context.gateClosed) return { action: 'release' };
      return { action: 'dead-letter', reason: 'Rejected', error: toError(failure) };
    case 'rejected':
      return { action: 'dead-letter', reason: 'Rejected', error: toError(failure) };
    case 'conflict':
    case 'retryable':
    case 'unidentified':
      if (spent) return { action: 'dead-letter', reason: 'RetriesExhausted', error: toError(failure) };
      return { action: 'defer', seconds: deferralSeconds(context.receiveCount, random) };
    case 'internal':
      // A bug is ours, whatever the state of the gate.
      if (context.receiveCount >= context.maxDeliveries) {
        return { action: 'dead-letter', reason: 'InternalError', error: toError(failure) };
      }
      return { action: 'defer', seconds: deferralSeconds(context.receiveCount, random) };
    case 'throttled':
    case 'misconfigured':
    case 'unreachable':
      return { action: 'release' };
  }
}

/** Seconds until a deferred message is visible again: full jitter by the receive count, from 0 to 120. */
export function deferralSeconds(receiveCount: number, random: () => number): number {
  return Math.ceil(fullJitter(deferralBackoff, receiveCount, random) / 1_000);
}

/**
 * Seconds until a message for which there was no place is visible again: by its receive count, up to 2, 4, 8, ... seconds
 * (at most 120) and at least half of that. Never at once, because it would be received and counted again for nothing.
 */
export function returnSeconds(receiveCount: number, random: () => number): number {
  const seconds = Math.min(2 ** receiveCount, deferralBackoff.maxMs / 1_000);
  return Math.ceil((seconds / 2) * (1 + random()));
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
