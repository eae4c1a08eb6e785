/** The limiters of the scenario `fleet`: each as settings of the simulated API, and in virtual time. */
import type { LimitSettings, SimulatedApiSettingsInput } from '../../../src/sandbox/simulated-api/index.ts';
import type { Setting } from '../../../testing/rates/family.ts';

/** Calls per second that each limiter accepts. */
export const LIMIT = 200;
/** RATE_LIMIT of each worker, calls per second. */
export const CEILING = 2 * LIMIT;
/** Number of workers in a fleet, and the seconds between two starts. */
export const WORKERS = 4;
export const APART = 2;

/** The measured time, in seconds from the first call. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Kind {
  /** The value of `--family`. */
  readonly name: string;
  readonly title: string;
  readonly limit: LimitSettings;
  /** Share of the calls that the API throttles regardless of their rate. */
  readonly noise: number;
  /**
   * Seconds from the first call until one caller is measured: enough to distinguish noise from a limit, or for three
   * windows.
   */
  readonly settles: number;
  /** Measured seconds: whole periods of the limiter. */
  readonly seconds: number;
  /** The limit halves after a third of the measured time, and is restored after another third. */
  readonly steps: boolean;
  /** Maximum share of 429s within which the best fixed rate is searched. */
  readonly throttled: number;
}

const bucket: LimitSettings = { kind: 'bucket', ratePerSecond: LIMIT, burst: 20, tickMs: 0 };
const plain = { limit: bucket, noise: 0, settles: 20, seconds: 20, steps: false, throttled: 0.05 };

export const kinds: readonly Kind[] = [
  { ...plain, name: 'bucket', title: 'Token bucket of 200/s, burst 20', throttled: 0.02 },
  {
    ...plain,
    name: 'noise',
    title: 'The same bucket, and 3% of all calls throttled at random',
    noise: 0.03,
    settles: 40,
  },
  {
    ...plain,
    name: 'window',
    title: 'Fixed window, 2,000 calls in 10 s',
    limit: { kind: 'window', calls: 10 * LIMIT, periodMs: 10_000, sliding: false },
    settles: 30,
  },
  {
    ...plain,
    name: 'steps',
    title: 'The bucket; its rate steps to a half for 10 s, and back',
    seconds: 30,
    steps: true,
  },
];

/** One caller is measured after the limiter's settling time, a fleet 60 s after the start of its last worker. */
export function spanOf({ seconds, settles }: Kind, isFleet: boolean, quick: boolean): Span {
  const lastStart = isFleet ? APART * (WORKERS - 1) : 0;
  const from = quick ? lastStart + 10 : lastStart + (isFleet ? 60 : settles);
  return { from, to: from + seconds };
}

/** The limit over time, as a factor of {@link LIMIT}. */
export function factorAt({ steps }: Pick<Kind, 'steps'>, { from, to }: Span, second: number): number {
  const third = (to - from) / 3;
  return steps && second >= from + third && second < from + 2 * third ? 0.5 : 1;
}

/** When the limit changes, and to which factor. */
export function stepsOf({ steps }: Kind, { from, to }: Span): { atSecond: number; factor: number }[] {
  const third = (to - from) / 3;
  return steps
    ? [
        { atSecond: from + third, factor: 0.5 },
        { atSecond: from + 2 * third, factor: 1 },
      ]
    : [];
}

/** A bucket's limit with another rate; other limits do not move. */
export function scaled(limit: LimitSettings, factor: number): LimitSettings {
  return limit.kind === 'bucket' ? { ...limit, ratePerSecond: limit.ratePerSecond * factor } : limit;
}

/**
 * For the simulated API. Its faults come after the limit and use what the limit has granted, while those of virtual time
 * come before it. With a correspondingly higher limit, both accept at most {@link LIMIT} and throttle the same share at
 * any rate above it.
 */
export function apiSettings({ limit, noise }: Kind): SimulatedApiSettingsInput {
  return {
    limit: noise > 0 ? scaled(limit, 1 / (1 - noise)) : limit,
    faults: { throttle: noise },
    latency: { minMs: 40, maxMs: 60 },
  };
}

/** For a family of virtual time. */
export function settingOf(kind: Kind, isFleet: boolean, span: Span): Setting {
  return {
    group: isFleet ? 'fleet' : 'bucket',
    name: kind.name,
    limit: LIMIT,
    ceiling: CEILING,
    api: kind.limit,
    burst: 20,
    noise: kind.noise,
    ...(kind.steps && { factor: (ms: number) => factorAt(kind, span, ms / 1_000) }),
    workers: isFleet ? WORKERS : 1,
    apart: APART,
    fromSecond: span.from,
    seconds: span.to,
    share: 0.95,
    throttled: kind.throttled,
  };
}
