/** Canary and abort rule: how many rows may be sent now, and whether to stop. PURE. */
import { misuse } from '../../errors.ts';
import { counted, percent } from '../../text/numbers.ts';
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
  const share = percent(failed / ended, 1);
  return `${share} of ${counted(ended, 'ended row')} failed, more than --abort-when '${formatAbortRule(rule)}' allows`;
}

/**
 * Reads `failed>2%/200`: stop when more than 2% have failed, once 200 rows have ended.
 * @throws CommandError when it is not of that form.
 */
export function parseAbortRule(text: string): AbortRule {
  const match = /^failed\s*>\s*(\d{1,3}(?:\.\d{1,6})?)%\s*\/\s*([1-9]\d{0,8})$/.exec(text.trim());
  const share = Number(match?.[1]) / 100;
  if (match === null || share > 1) {
    throw misuse(
      `--abort-when ${shortPrintable(text)}: give it as 'failed>2%/200': more than 2% failed, of at least 200 ended.`,
    );
  }
  return { share, least: Number(match[2]) };
}

function formatAbortRule({ share, least }: AbortRule): string {
  return `failed>${Number((share * 100).toFixed(6))}%/${least}`;
}
