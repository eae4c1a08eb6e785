/** Logs the limit of the API when it is found, and when it changes. */
import type { WorkerSnapshot } from '../worker/snapshot.ts';
import { shownLimit } from './health.ts';
import { writeLine } from './log-events.ts';
import { logLines } from './log-lines.ts';
import type { Logger } from './logger.ts';

/** A limit that differs by no more than this share from the last one logged counts as the same. */
const SAME = 0.1;

/**
 * @param looksApart minimum number of looks between two lines: a limit may fluctuate.
 * @returns a function to call at regular times with the worker's snapshot; it writes a line if there is news.
 */
export function limitNews(log: Logger, looksApart: number): (now: WorkerSnapshot) => void {
  let told = 0;
  let looks = looksApart;
  return (now) => {
    looks++;
    const limit = shownLimit(now);
    // In a fleet, the leader logs it.
    if (limit === null || looks < looksApart || now.rateFleet === 'following') return;
    const { perSecond: apiLimit, within, since, periodSeconds, noise } = limit;
    // The first observations vary much, except those of a period.
    const isSure = within !== null || periodSeconds !== null;
    if (!isSure || Math.abs(apiLimit - told) <= SAME * told) return;
    told = apiLimit;
    looks = 0;
    writeLine(log, logLines.limitFound, () => ({
      apiLimit,
      within: within ?? undefined,
      since,
      periodSeconds: periodSeconds ?? undefined,
      noise,
    }));
  };
}
