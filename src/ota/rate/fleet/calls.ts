/**
 * The calls that have ended, as one worker reports them to the leader. PURE.
 *
 * A list of numbers as JSON, four for each group of calls: how long ago they ended and how long they took, both in
 * milliseconds, how many were accepted, and how many were throttled. Calls of the same millisecond form one group. If
 * there are too many groups, a group covers 2, 4, 8 … milliseconds: no call goes uncounted.
 */
import type { ObservedCall } from '../rate-control.ts';

/** The most groups in one report. */
const MOST_GROUPS = 256;
/** The most calls in one report; of more, the latest. More than a worker makes between two reports. */
export const MOST_CALLS = 10_000;
/** All numbers of a report are below this: a day, in milliseconds. */
const MOST = 86_400_000;
/** The most bytes in a report. */
export const MOST_BYTES = MOST_GROUPS * 4 * (String(MOST).length + 1) + 2;

type Group = readonly [endedAgo: number, tookMs: number, accepted: number, throttled: number];

/** @param now monotonic milliseconds, when sent. @returns '' for no calls. */
export function writeCalls(calls: readonly ObservedCall[], now: number): string {
  if (calls.length === 0) return '';
  const latest = calls.slice(-MOST_CALLS);
  for (let widthMs = 1; ; widthMs *= 2) {
    const groups = groupsOf(latest, now, widthMs);
    if (groups.length <= MOST_GROUPS) return JSON.stringify(groups.flat());
  }
}

/**
 * In the order in which the calls ended.
 * @param sentAt monotonic milliseconds of the reader's clock.
 * @returns undefined for data that no worker writes: data from outside is always checked.
 */
export function readCalls(text: string, sentAt: number): ObservedCall[] | undefined {
  const numbers = text.length > MOST_BYTES ? undefined : parse(text);
  if (!Array.isArray(numbers) || numbers.length % 4 !== 0 || !numbers.every(isSmall)) return undefined;
  const groups = Array.from(
    { length: numbers.length / 4 },
    (_, i) => numbers.slice(4 * i, 4 * i + 4) as unknown as Group,
  );
  if (groups.reduce((sum, [, , accepted, throttled]) => sum + accepted + throttled, 0) > MOST_CALLS)
    return undefined;
  return groups
    .toSorted(([one], [other]) => other - one)
    .flatMap(([endedAgo, tookMs, accepted, throttled]) => {
      const endedAt = sentAt - endedAgo;
      const call: ObservedCall = { startedAt: endedAt - tookMs, endedAt };
      return [
        ...Array.from({ length: accepted }, () => call),
        ...Array.from({ length: throttled }, () => ({ ...call, failure: { kind: 'throttled' } })),
      ];
    });
}

function groupsOf(calls: readonly ObservedCall[], now: number, widthMs: number): Group[] {
  const groups = new Map<string, [number, number, number, number]>();
  for (const { startedAt, endedAt, failure } of calls) {
    const endedAgo = rounded(now - endedAt, widthMs);
    const tookMs = rounded(endedAt - startedAt, widthMs);
    const key = `${endedAgo} ${tookMs}`;
    const group = groups.get(key) ?? [endedAgo, tookMs, 0, 0];
    group[failure?.kind === 'throttled' ? 3 : 2]++;
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** To the middle of the group's width. */
function rounded(ms: number, widthMs: number): number {
  const within = Math.min(Math.max(0, ms), MOST - 1);
  return Math.floor(Math.floor(within / widthMs) * widthMs + widthMs / 2);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isSmall(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) < 2 * MOST;
}
