/** Canary and abort rule: how many rows may be sent now, and whether to stop. PURE. */
import { type CommandError, misuse } from '../../errors.ts';
import { counted, number } from '../../text/numbers.ts';
import { shortPrintable } from '../../text/printable.ts';
import type { AbortRule, Counting, Counts, Guards } from '../ledger/job.ts';

/** Where counting begins now. */
export function countFrom(counts: Counts): Counting {
  return { good: counts.applied + counts.superseded, failed: counts.failed, canaryPassed: false };
}

/** Good and failed ends since counting began. A row that is tried again no longer counts as failed. */
export function endsSince(counting: Counting, counts: Counts): { good: number; failed: number } {
  return {
    good: Math.max(0, counts.applied + counts.superseded - counting.good),
    failed: Math.max(0, counts.failed - counting.failed),
  };
}

/** Whether the canary, if there is one, is still being waited for. */
export function awaitsCanary({ canary }: Guards, counting: Counting): boolean {
  return canary !== undefined && !counting.canaryPassed;
}

export function canaryHasPassed({ canary = 0 }: Guards, counting: Counting, counts: Counts): boolean {
  return endsSince(counting, counts).good >= canary;
}

/** A batch to SQS: fewer rows at a time would be slow and save nobody. */
const LEAST_IN_FLIGHT = 10;

/**
 * Rows that may be in flight while there is an abort rule; `Infinity` without one. However many of them fail, at most as
 * many as the rule wants to see before it judges fail after its threshold was crossed: more are in flight only as long
 * as the rule would tolerate that all of them fail.
 */
export function tolerated({ abortWhen }: Guards, counting: Counting, counts: Counts): number {
  if (abortWhen === undefined) return Number.POSITIVE_INFINITY;
  const { share, least } = abortWhen;
  const { good, failed } = endsSince(counting, counts);
  // All of n rows in flight fail, and failed + n <= share * (ended + n).
  const slack = Math.floor((share * (good + failed) - failed) / (1 - share));
  return Math.max(LEAST_IN_FLIGHT, least, slack);
}

/** Rows that may be sent now. */
export function room(guards: Guards, counting: Counting, counts: Counts, window: number): number {
  const free = Math.min(window - counts.inFlight, counts.planned);
  if (!awaitsCanary(guards, counting)) return Math.max(0, free);
  const left = (guards.canary ?? 0) - endsSince(counting, counts).good - counts.inFlight;
  return Math.max(0, Math.min(free, left));
}

/** Why to stop, as a sentence without its full stop; undefined: go on. */
export function stopReason(guards: Guards, counting: Counting, counts: Counts): string | undefined {
  const { good, failed } = endsSince(counting, counts);
  if (awaitsCanary(guards, counting) && failed > 0)
    return `The canary failed: ${failed} of its first ${good + failed} rows did`;
  const rule = guards.abortWhen;
  const ended = good + failed;
  if (rule === undefined || ended < rule.least || failed <= rule.share * ended) return undefined;
  // A share would be rounded, and may then read like the one that is allowed.
  return `${number(failed)} of ${counted(ended, 'ended row')} failed, more than --abort-when '${formatAbortRule(rule)}' allows`;
}

const EXAMPLE = `as in --abort-when 'failed>2%/200': stop when more than 2% of at least 200 ended rows failed`;

/**
 * Reads `failed>2%/200`: stop when more than 2% have failed, once 200 rows have ended.
 * @throws CommandError that says what is wrong with it, and gives an example.
 */
export function parseAbortRule(text: string): AbortRule {
  const wrong = (fault: string): CommandError =>
    misuse(`--abort-when '${shortPrintable(text)}': ${fault}, ${EXAMPLE}.`);
  const rule = text.trim();
  // Without quotes a shell takes `>` for the name of a file to write to.
  if (rule === 'failed') throw wrong('put the rule in quotes');
  const match = /^failed\s*>\s*([^%/]*)(%?)\s*(?:\/\s*(.*))?$/s.exec(rule);
  if (match === null) throw wrong('a rule begins with failed>');
  const [, share = '', sign, least] = match;
  if (!/^\d{1,3}(\.\d{1,6})?$/.test(share)) throw wrong('give the share as a number from 0 to 99');
  if (sign === '') throw wrong('the share is a percentage and needs its %');
  if (Number(share) >= 100) throw wrong('more than 100% can never fail: the share is below 100%');
  if (least === undefined) throw wrong('say after a / how many rows must have ended before it counts');
  if (!/^[1-9]\d{0,8}$/.test(least)) throw wrong('after the / comes a whole number of rows from 1');
  return { share: Number(share) / 100, least: Number(least) };
}

/** The rule as it is given. */
export function formatAbortRule({ share, least }: AbortRule): string {
  return `failed>${Number((share * 100).toFixed(6))}%/${least}`;
}
