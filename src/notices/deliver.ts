/**
 * Sends what waits in the outbox, at least once:
 *
 *   due      in the outbox since the job changed
 *   taken    one process sends it; after a kill it is due again
 *   told     the target has answered that it has it
 *   waiting  it failed, and is due again after a backoff
 *   given up the target will never take it, or has not for {@link GIVE_UP_MS}
 *
 * All of it is in the outbox. A process that is killed between the sending and `told` sends it once more: receivers tell that
 * by the notice's id.
 */
import { type BackoffSettings, fullJitter } from '../time/backoff.ts';
import type { Clock } from '../time/clock.ts';
import { epochMs } from '../time/instant.ts';
import type { Outbox, PendingNotice } from './outbox.ts';
import { type Target, TELL_TIMEOUT_MS } from './target.ts';

const BACKOFF: BackoffSettings = { baseMs: 1_000, maxMs: 600_000 };
/** The longest wait that a target's `Retry-After` can ask for, in milliseconds. */
const MAX_ASKED_MS = 900_000;
/** A notice that is older is given up when it fails once more, in milliseconds: three days. */
export const GIVE_UP_MS = 3 * 86_400_000;
/** Longer than a sending can take: what is under way is sent by nobody else. */
const HIDDEN_MS = TELL_TIMEOUT_MS + 2_000;
const MAX_AT_ONCE = 20;
/** How often the outbox is looked at, in milliseconds. */
const LOOK_MS = 1_000;

export interface DeliverOptions {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Resolves after so many milliseconds, or at once when the signal aborts; never rejects. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  /** Takes what failed, a sentence without its full stop. */
  readonly onTrouble: (sentence: string) => void;
}

/** What one pass over the outbox has done. */
export interface Pass {
  readonly told: number;
  /** When the first of those that failed is due again, in epoch milliseconds; undefined: none is. */
  readonly nextAt: number | undefined;
}

/** Sends what is due now, all of it. @throws what the outbox throws. */
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
 * Sends what is due, and what becomes due, until it is to end.
 * @param until aborts then: what is being sent is not cut off by it.
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
 * @returns whether something waits for another process.
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

/** @returns `told`; when it is due again; undefined where it is given up, or was cut off. */
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
  const what = `The notice that job ${notice.jobId} ${notice.kind === 'stuck' ? 'is stuck' : `is ${notice.kind}`} was not taken by ${target.place}: ${telling.why}`;
  const now = clock.wall();
  // Cut off by a signal: nothing is known of the target.
  if (signal.aborted) {
    await outbox.failed(key, name, now);
    return undefined;
  }
  const tooOld = now - epochMs(notice.at) > GIVE_UP_MS;
  if (!telling.passing || tooOld) {
    await outbox.told(key, name);
    onTrouble(`${what}. It is given up${telling.passing ? ', three days after it' : ''}`);
    return undefined;
  }
  const asked = Math.min(telling.afterMs ?? 0, MAX_ASKED_MS);
  const nextAt = now + Math.max(asked, fullJitter(BACKOFF, failures + 1, random));
  await outbox.failed(key, name, nextAt);
  onTrouble(`${what}. It is sent again`);
  return nextAt;
}
