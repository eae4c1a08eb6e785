/** How many rows of all jobs may be in flight together, and of one of them. PURE. */

/** What ends in so many seconds: an update that another system sends meanwhile waits so much longer, at most. */
export const WINDOW_SECONDS = 10;
/** At whatever rate: with fewer, a rate could not be measured before it had been found. */
export const LEAST_WINDOW = 20;

/**
 * @param perSecond rows of all jobs that end per second.
 * @param share of the job among those that are being sent: 1 when it is the only one.
 * @param restInFlight rows in flight of the jobs that take no share: only what they leave is shared.
 * @returns rows of the job that may be in flight, 1 at least.
 */
export function windowOf(perSecond: number, share: number, restInFlight = 0): number {
  const all = Math.max(LEAST_WINDOW, Math.ceil(perSecond * WINDOW_SECONDS));
  return Math.max(1, Math.floor((all - restInFlight) * share));
}

/** A job's share beside others. @param others the priorities of the other jobs that are being sent. */
export function shareOf(priority: number, others: readonly number[]): number {
  return priority / others.reduce((sum, other) => sum + other, priority);
}
