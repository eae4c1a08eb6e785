/** The last rate found, kept from one run of a worker to the next. */
import { z } from 'zod';
import { sleep } from '../../time/clock.ts';
import { epochMs } from '../../time/instant.ts';

/** A rate that an API was found to accept from one worker. */
export interface RememberedRate {
  /** Calls per second. */
  readonly perSecond: number;
  /** When the rate was last found to be right, in epoch milliseconds. */
  readonly at: number;
}

/** Where a rate is kept. Its content is untrusted: anybody may have written it. */
export interface RateMemory {
  /** undefined: nothing is kept. Rejects with an Error that says why the kept rate cannot be used. */
  load(): Promise<RememberedRate | undefined>;
  /** undefined: no rate is known any more. Rejects with the system's error when the rate cannot be kept. */
  save(rate: RememberedRate | undefined): Promise<void>;
}

/** What a start may use. */
export type Recalled =
  | { readonly use: 'rate'; readonly perSecond: number; readonly ageMs: number }
  | { readonly use: 'nothing'; readonly tooOldMs?: number; readonly fault?: unknown };

/** Older rates are not used: limits change, and a start at the ceiling finds them within seconds. */
const LONGEST_MS = 24 * 3_600_000;
/** How far the clocks of two machines, or of one after a restart, may differ. */
const CLOCK_TOLERANCE_MS = 60_000;

/** A disk, or Redis, that does not answer must not delay a start for longer than this, in milliseconds. */
const LOAD_MS = 1_000;

/** Never rejects, and takes a second at most. @param now epoch milliseconds. */
export async function recall(memory: RateMemory, now: number): Promise<Recalled> {
  const done = new AbortController();
  const tooLate = sleep(LOAD_MS, done.signal).then((): never => {
    throw new Error('no answer in time');
  });
  try {
    const found = await Promise.race([memory.load(), tooLate]);
    if (found === undefined) return { use: 'nothing' };
    const ageMs = now - found.at;
    if (ageMs < -CLOCK_TOLERANCE_MS) return { use: 'nothing', fault: new Error('it is dated in the future') };
    if (ageMs > LONGEST_MS) return { use: 'nothing', tooOldMs: ageMs };
    return { use: 'rate', perSecond: found.perSecond, ageMs: Math.max(0, ageMs) };
  } catch (fault) {
    return { use: 'nothing', fault };
  } finally {
    // The race is over, and a late rejection must not count as unhandled.
    tooLate.catch(() => undefined);
    done.abort();
  }
}

/** From the least `RATE_LIMIT` to more than a worker can make. */
const perSecond = z.number().min(0.01).max(1_000_000);

const Text = z.object({ version: z.literal(1), perSecond, at: z.iso.datetime() });

export function writeRemembered({ perSecond, at }: RememberedRate): string {
  return `${JSON.stringify({ version: 1, perSecond, at: new Date(at).toISOString() })}\n`;
}

/** @throws an Error that says, without quoting the text, what is wrong with it. */
export function readRemembered(text: string): RememberedRate {
  const { data } = Text.safeParse(parse(text));
  if (data === undefined) throw new Error('it does not hold a rate that this version can read');
  return { perSecond: data.perSecond, at: epochMs(data.at) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
