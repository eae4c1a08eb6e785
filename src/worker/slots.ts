/** How many messages to hold: what can be started soon, and no more. Pure. */

export interface SlotSettings {
  readonly maxConcurrency: number;
  readonly visibilitySeconds: number;
}

export interface Slots {
  /** Messages not started yet, at most. */
  readonly waiting: number;
  /** Messages in hand in all, at most: also those backing off, on trial or being settled. */
  readonly held: number;
}

/** What a receive may bring at most. */
export const RECEIVE_SIZE = 10;
/** While calls are paused: enough Identifiers to probe with. */
export const closedSlots: Slots = { waiting: RECEIVE_SIZE, held: 3 * RECEIVE_SIZE };
/** How far ahead of the calls to receive, in seconds at the current rate. */
const HORIZON_SECONDS = 2;

/**
 * @param rate calls per second that are let through now; `Infinity` when unpaced.
 * @param gateClosed calls are paused: hold little.
 */
export function slotsFor(
  rate: number,
  gateClosed: boolean,
  { maxConcurrency, visibilitySeconds }: SlotSettings,
): Slots {
  if (gateClosed) return closedSlots;
  const soon = rate * Math.min(HORIZON_SECONDS, visibilitySeconds / 10);
  // A whole receive is worth a longer wait, up to a third of the lease.
  const receive = Math.min(RECEIVE_SIZE, rate * (visibilitySeconds / 3));
  // Beyond this, more in hand starts nothing sooner.
  const useful = Math.max(2 * RECEIVE_SIZE, 2 * maxConcurrency);
  const waiting = Math.max(1, Math.floor(Math.min(Math.max(soon, receive), useful)));
  return { waiting, held: 2 * (maxConcurrency + waiting) + 10 * RECEIVE_SIZE };
}
