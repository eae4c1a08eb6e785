/** The limit that the leader has found, as it reports it to the others. PURE. */
import { z } from 'zod';
import type { FoundLimit } from '../adaptive/limit-estimate.ts';

/** The longest text, in characters. */
const MOST_LENGTH = 300;
/** More than a fleet can make, in calls per second; a day, in milliseconds. */
const MOST_RATE = 1e6;
const MOST_MS = 86_400_000;

const Text = z.object({
  perSecond: z.number().positive().max(MOST_RATE),
  within: z.number().min(0).max(1).nullable(),
  agoMs: z.number().min(0),
  periodMs: z.number().positive().max(MOST_MS).nullable(),
  noise: z.number().min(0).max(1),
});

/** @param now monotonic milliseconds, when sent. @returns undefined if no limit is known. */
export function writeLimit(limit: FoundLimit | undefined, now: number): string | undefined {
  if (limit === undefined) return undefined;
  const { perSecond, withinShare = null, since, periodMs = null, noise } = limit;
  const said: z.infer<typeof Text> = {
    perSecond,
    within: withinShare,
    agoMs: Math.max(0, now - since),
    periodMs,
    noise,
  };
  return JSON.stringify(said);
}

/**
 * @param sentAt monotonic milliseconds of the reader's clock.
 * @returns undefined for data that no worker writes: data from outside is always checked.
 */
export function readLimit(text: string | undefined, sentAt: number): FoundLimit | undefined {
  if (text === undefined || text.length > MOST_LENGTH) return undefined;
  const { data } = Text.safeParse(parse(text));
  if (data === undefined) return undefined;
  const { perSecond, within, agoMs, periodMs, noise } = data;
  return {
    perSecond,
    withinShare: within ?? undefined,
    since: sentAt - agoMs,
    periodMs: periodMs ?? undefined,
    noise,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
