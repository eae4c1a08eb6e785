/** Numbers and counts as people read them. PURE. */
import type { Counts } from '../ledger/types.ts';

export function number(value: number): string {
  return value.toLocaleString('en');
}

export function rows(count: number): string {
  return `${number(count)} ${count === 1 ? 'row' : 'rows'}`;
}

/** Rounded down: 100% is only said of all. */
export function percent(part: number, whole: number): string {
  return `${whole === 0 ? 100 : Math.floor((part / whole) * 100)}%`;
}

/** How many calls of the ended rows were not the row's first: the API throttled or failed the one before. */
export function repeatedShare({ calls, callsOf }: Counts): number {
  return calls === 0 ? 0 : Math.max(0, calls - callsOf) / calls;
}

export function repeatedCalls(counts: Counts): string {
  return `${(repeatedShare(counts) * 100).toFixed(1)}% of calls throttled or failed`;
}
