/** How long a job takes, and which rate the estimate is based on. PURE. */
import { number } from '../../text/numbers.ts';
import { printable } from '../../text/printable.ts';
import { roughDuration } from '../../text/times.ts';
import type { MeasuredRate } from '../ledger/job.ts';

/**
 * The time that `rows` take, in words.
 * @param measured over the latest jobs; undefined if not measured.
 * @param rateLimit calls per second in this command's settings; `Infinity` for no limit. Workers may have other
 * settings.
 */
export function timeNote(rows: number, measured: MeasuredRate | undefined, rateLimit: number): string {
  if (measured !== undefined) {
    const { perSecond, jobId } = measured;
    const rate = perSecond < 10 ? perSecond.toFixed(1) : number(Math.round(perSecond));
    return `about ${roughDuration(rows / perSecond)} at ${rate} rows/s, as measured in job ${printable(jobId)}`;
  }
  if (!Number.isFinite(rateLimit))
    return 'as fast as the API allows, if RATE_LIMIT is unlimited for the workers as it is here';
  return `about ${roughDuration(rows / rateLimit)} if RATE_LIMIT is ${rateLimit} for the workers as it is here`;
}

/** The same in whole seconds; undefined without any basis. */
export function secondsFor(
  rows: number,
  measured: MeasuredRate | undefined,
  rateLimit: number,
): number | undefined {
  const perSecond = measured?.perSecond ?? rateLimit;
  return Number.isFinite(perSecond) ? Math.ceil(rows / perSecond) : undefined;
}
