/**
 * Sends the notices in the outbox, each at least once:
 *
 *   due      in the outbox since the job changed
 *   taken    one process sends it; if that process is killed it is due again
 *   told     the target has answered that it has it
 *   waiting  it failed, and is due again after a backoff
 *   given up the target will never take it, or has not for {@link GIVE_UP_MS}
 *
 * The outbox stores all of this. If a process is killed between sending and `told`, the notice is sent once more. Receivers
 * recognize the repetition by the notice's id.
 */
import { type BackoffSettings, fullJitter } from '../time/backoff.ts';
import type { Clock } from '../time/clock.ts';
import { epochMs } from '../time/instant.ts';
import type { Outbox, PendingNotice } from './outbox.ts';
import { type Target, TELL_TIMEOUT_MS } from './target.ts';

const BACKOFF: BackoffSettings = { baseMs: 1_000, maxMs: 600_000 };
/** The longest wait that a target's `Retry-After` can ask for, in milliseconds. */
const MAX_ASKED_MS = 900_000;
/** A notice older than this is given up at its next failure, in milliseconds: three days. */
export const GIVE_UP_MS = 3 * 86_400_000;
/** Longer than a sending can take, so that no other process sends the same notice meanwhile. */
const HIDDEN_MS = TELL_TIMEOUT_MS + 2_000;
const MAX_AT_ONCE = 20;
/** How often the outbox is checked, in milliseconds. */
const LOOK_MS = 1_000;

export interface DeliverOptions {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Resolves after `ms` milliseconds, or at once when the signal aborts; never rejects. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  /** Receives each failure, as a sentence without its full stop. */
  readonly onTrouble: (sentence: string) => void;
}

/** The result of one pass over the outbox. */
export interface Pass {
  readonly told: number;
  /** When the first of the failed notices is due again, in epoch milliseconds; undefined: none is. */
  readonly nextAt: number | undefined;
}

/** Sends everything that is due now. @throws what the outbox throws. */
export async function deliverDue(
  outbox: Outbox,
  targets: readonly Target[],
  options: DeliverOptions,
): Promise<Pass> {
  const { clock, signal } = options;
  const names = targets.map(({ name }) => name);
  let told = 0;
  const waiting: number[] = [];
  while (names.length > 0 && !signal.aborted) {
    const due = await outbox.due(names, MAX_AT_ONCE, clock.wall() + HIDDEN_MS);
    const ends = await Promise.all(due.map((pending) => deliverOne(outbox, targets, pending, options)));
    for (const end of ends) {
      if (end === 'told') told++;
      else if (end !== undefined) waiting.push(end);
    }
    if (due.length < MAX_AT_ONCE) break;
  }
  return { told, nextAt: waiting.length === 0 ? undefined : Math.min(...waiting) };
}

/**
 * Sends what is due, and what becomes due, until `until` aborts.
 * @param until does not cut off a sending under way.
 * @throws what the outbox throws.
 */
export async function deliverNotices(
  outbox: Outbox,
  targets: readonly Target[],
  until: AbortSignal,
  options: DeliverOptions,
): Promise<void> {
  const either = AbortSignal.any([until, options.signal]);
  while (targets.length > 0 && !either.aborted) {
    await deliverDue(outbox, targets, options);
    await options.sleep(LOOK_MS, either);
  }
}

/**
 * Sends what is due, and once more what fails in a way that may pass, for a command that is about to end.
 * @param maxMs no try begins later.
 * @returns whether something is left for another process.
 * @throws what the outbox throws.
 */
export async function deliverLast(
  outbox: Outbox,
  targets: readonly Target[],
  maxMs: number,
  options: DeliverOptions,
): Promise<boolean> {
  const { clock, sleep, signal } = options;
  const endsAt = clock.monotonic() + maxMs;
  while (!signal.aborted) {
    const { nextAt } = await deliverDue(outbox, targets, options);
    if (nextAt === undefined) return false;
    const waitMs = Math.max(0, nextAt - clock.wall());
    if (clock.monotonic() + waitMs > endsAt) return true;
    await sleep(waitMs, signal);
  }
  return true;
}

/** @returns `told`; or when it is due again; undefined if it was given up, or cut off. */
async function deliverOne(
  outbox: Outbox,
  targets: readonly Target[],
  { key, notice, target: name, failures }: PendingNotice,
  { clock, random, signal, onTrouble }: DeliverOptions,
): Promise<'told' | number | undefined> {
  const target = targets.find((one) => one.name === name);
  // The outbox was asked for these targets only.
  if (target === undefined) return undefined;
  const telling = await target.tell(notice, signal);
  if (telling.ok) {
    await outbox.told(key, name);
    return 'told';
  }
  const what = `The notice that job ${notice.jobId} ${notice.kind === 'stuck' ? 'is stuck' : `is ${notice.kind}`} could not be delivered to ${target.place}: ${telling.why}`;
  const now = clock.wall();
  // Cut off by a signal: the target's answer is unknown.
  if (signal.aborted) {
    await outbox.failed(key, name, now);
    return undefined;
  }
  const tooOld = now - epochMs(notice.at) > GIVE_UP_MS;
  if (!telling.passing || tooOld) {
    await outbox.told(key, name);
    onTrouble(`${what}. It is given up${telling.passing ? ' after three days' : ''}`);
    return undefined;
  }
  const asked = Math.min(telling.afterMs ?? 0, MAX_ASKED_MS);
  const nextAt = now + Math.max(asked, fullJitter(BACKOFF, failures + 1, random));
  await outbox.failed(key, name, nextAt);
  onTrouble(`${what}. It is sent again`);
  return nextAt;
}
