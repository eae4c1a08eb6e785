/** The progress of jobs as lines of a service's log. */
import { jobLogLines } from '../../observe/job-log-lines.ts';
import { writeLine } from '../../observe/log-events.ts';
import type { Logger } from '../../observe/logger.ts';
import type { Screen } from '../../text/live-block.ts';
import type { JobView } from '../run/progress.ts';

const EVERY_MS = 10_000;

/** A line for each job every 10 s. @param now milliseconds, monotonic. */
export function logScreen(log: Logger, now: () => number): Screen<JobView> {
  const loggedAt = new Map<string, number>();
  return {
    update: ({ jobId, counts, state, perSecond, window }) => {
      if (now() - (loggedAt.get(jobId) ?? Number.NEGATIVE_INFINITY) < EVERY_MS) return;
      loggedAt.set(jobId, now());
      const { total: rows, ended, inFlight, applied, superseded, failed } = counts;
      writeLine(log, jobLogLines.progress, () => ({
        jobId,
        state: state?.name,
        rows,
        open: rows - ended,
        inFlight,
        applied,
        superseded,
        failed,
        rate: Math.round(perSecond * 10) / 10,
        window,
      }));
    },
    say: (what, about) =>
      writeLine(log, about === 'trouble' ? jobLogLines.trouble : jobLogLines.said, () => ({ what })),
    stop: () => {},
  };
}
