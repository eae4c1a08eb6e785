/** A machine that stalls from time to time, in virtual time. Times are milliseconds. */
import { seeded } from '../random.ts';
import type { Scenario } from './scenario.ts';

/** When something due at a time can happen: at once, or at the end of the stall that it falls into. */
export function freezer({ stalls, durationMs, seed }: Scenario): (ms: number) => number {
  if (stalls === undefined) return (ms) => ms;
  const random = seeded(~(seed ?? 1));
  const spans: { readonly from: number; readonly to: number }[] = [];
  for (let at = 0; at < durationMs; ) {
    const from = at + 2 * stalls.meanApartMs * random();
    at = from + 2 * stalls.meanLengthMs * random();
    spans.push({ from, to: at });
  }
  let next = 0;
  return (ms) => {
    // Requests come nearly in order of time: a span is dropped after ten seconds, the longest latency.
    while ((spans[next]?.to ?? ms) < ms - 10_000) next++;
    for (let i = next; i < spans.length; i++) {
      const span = spans[i];
      if (span === undefined || span.from > ms) return ms;
      if (ms < span.to) return span.to;
    }
    return ms;
  };
}
