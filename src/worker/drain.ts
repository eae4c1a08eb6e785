/** The end of the work: waiting messages are released, calls in flight end, and every settlement is confirmed. */
import type { Stages } from './stages.ts';

/** Stops receiving, and resolves once no message is held. */
export async function drain({ receiver, held, prefetch, deadLetters, outcomes }: Stages): Promise<void> {
  receiver.close();
  const heldBefore = [...held];
  held.hurry();
  prefetch.releaseAll();
  deadLetters.stopWaiting();
  outcomes?.stopWaiting();
  // An open poll of ours would receive a released message, and hide it when the poll is cut.
  while (heldBefore.some((delivery) => held.has(delivery) && delivery.state !== 'calling')) {
    await held.nextDeletion();
  }
  await receiver.stop(heldBefore.length > 0);
  while (held.size > 0) await held.nextDeletion();
}

/** The time reserved for closing after the work is over, including the last log lines, in milliseconds. */
const CLOSING_MS = 400;

/**
 * When, after the signal to stop, calls in flight are aborted and when the drain is over, in milliseconds. Closing comes after
 * that and must still fit into the grace period, even into one of a second or two.
 */
export function drainTimes(graceMs: number): { readonly cutMs: number; readonly endMs: number } {
  const endMs = graceMs - Math.max(graceMs * 0.05, Math.min(CLOSING_MS, graceMs * 0.25));
  return { cutMs: Math.min(graceMs * 0.8, endMs - graceMs * 0.1), endMs };
}
