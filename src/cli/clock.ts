/** Commands that date updates need a correct clock. */
import { CommandError } from '../errors.ts';
import { duration } from '../text/times.ts';

/** The threshold at which `check` warns. SQS gives its time in whole seconds. */
export const MOST_OFF_MS = 60_000;

/**
 * @param skewMs how far this machine's clock is ahead of SQS's; undefined if unknown.
 * @throws CommandError if it is off by more than a minute. The clock is not corrected by SQS's: either can be wrong.
 */
export function requireRightClock(skewMs: number | undefined): void {
  if (skewMs === undefined || Math.abs(skewMs) <= MOST_OFF_MS) return;
  const off = `${duration(Math.round(Math.abs(skewMs) / 1_000))} ${skewMs > 0 ? 'ahead of' : 'behind'} that of SQS`;
  const harm =
    skewMs > 0
      ? 'workers refuse an IssuedAt that is 5 minutes ahead, and other updates would lose against it'
      : 'updates would lose against others that were decided on before them';
  throw new CommandError(`This machine's clock is ${off}: ${harm}. Nothing was sent. Set the clock.`);
}
