/** Calls over time: windows of the API's timeline. */
/** Width of a bucket of the timeline, in milliseconds. */
export const BUCKET_MS = 100;

/** What the API saw since its last reset. */
export interface ApiTimeline {
  /** `at` of the start of the first bucket. */
  readonly startedAt: number;
  /** By caller; buckets in the future are missing. */
  readonly callers: Readonly<Record<string, { accepted: number[]; throttled: number[] }>>;
}

/** Calls of one caller or of all. */
export interface Series {
  readonly accepted: readonly number[];
  readonly throttled: readonly number[];
}

/** All callers together, or the named ones. */
export function seriesOf({ callers }: ApiTimeline, names = Object.keys(callers)): Series {
  const chosen = names.flatMap((name) => callers[name] ?? []);
  return {
    accepted: add(chosen.map((each) => each.accepted)),
    throttled: add(chosen.map((each) => each.throttled)),
  };
}

/** Calls per second between two times, in seconds from the start of the timeline; the end is excluded. */
export function perSecond(buckets: readonly number[], from: number, to: number): number {
  return sum(buckets, from, to) / (to - from);
}

function sum(buckets: readonly number[], from: number, to: number): number {
  const slice = buckets.slice(Math.round((from * 1_000) / BUCKET_MS), Math.round((to * 1_000) / BUCKET_MS));
  return slice.reduce((total, each) => total + each, 0);
}

/** The share of calls that were throttled between two times. */
export function throttledShare({ accepted, throttled }: Series, from: number, to: number): number {
  const refused = sum(throttled, from, to);
  return refused / Math.max(1, refused + sum(accepted, from, to));
}

/** Calls per second in every window of `seconds` that starts on a whole second, by the window's end. */
export function windows(
  buckets: readonly number[],
  seconds: number,
  from: number,
  to: number,
): readonly { readonly end: number; readonly perSecond: number }[] {
  const count = Math.max(0, Math.floor(to - from - seconds) + 1);
  return Array.from({ length: count }, (_, i) => ({
    end: from + i + seconds,
    perSecond: perSecond(buckets, from + i, from + i + seconds),
  }));
}

function add(all: readonly (readonly number[])[]): number[] {
  const length = Math.max(0, ...all.map((each) => each.length));
  return Array.from({ length }, (_, i) => all.reduce((total, each) => total + (each[i] ?? 0), 0));
}
