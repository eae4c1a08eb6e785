/** Logs the limit of the API when it is found, and when it has become another one. */
import type { WorkerSnapshot } from '../worker/snapshot.ts';
import { shownLimit } from './health.ts';
import { writeLine } from './log-events.ts';
import { logLines } from './log-lines.ts';
import type { Logger } from './logger.ts';

/** A limit that differs by no more than this share from the one that was told is the same. */
const SAME = 0.1;

/**
 * @param looksApart looks from one line to the next at least: a limit may sway.
 * @returns is to be called with the worker as it is, at even times, and writes a line when there is news.
 */
export function limitNews(log: Logger, looksApart: number): (now: WorkerSnapshot) => void {
  let told = 0;
  let looks = looksApart;
  return (now) => {
    looks++;
    const limit = shownLimit(now);
    // The one that leads says it.
    if (limit === null || looks < looksApart || now.rateFleet === 'following') return;
    const { perSecond: apiLimit, within, since, periodSeconds, noise } = limit;
    // The first observations differ much, but for those of a period.
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
