/** The faults a proxy can inject: drawn by a seeded random source, counted by kind. */

/**
 * - `refuse`: the connection is cut as it is made.
 * - `reset`: cut once the request has been read; it has no effect.
 * - `delay`: the request is passed on late, or not at all when its sender has given up by then.
 * - `hang`: never passed on, never answered.
 * - `error`: answered 5xx; no effect.
 * - `garbage`: answered with what the service would never say; no effect.
 * - `slow-answer`: takes effect, answered late.
 * - `half`: takes effect, the answer breaks off in the middle.
 * - `drop`: takes effect, cut instead of answered.
 *
 * And of SQS alone; another service, or another request, meets none instead:
 * - `checksum`: takes effect, answered with a checksum that does not match.
 * - `entries`: some entries of a batch take no effect, and the answer says so as if they were at fault.
 */
const faultKinds = [
  'refuse',
  'reset',
  'delay',
  'hang',
  'error',
  'garbage',
  'slow-answer',
  'half',
  'drop',
] as const;
const sqsFaultKinds = ['checksum', 'entries'] as const;
export type FaultKind = (typeof faultKinds)[number] | (typeof sqsFaultKinds)[number];

/** Share of requests (for `refuse`: of connections) that meet each fault, 0 to 1. */
export type FaultRates = Readonly<Partial<Record<FaultKind, number>>>;

/** The same share of every kind that a service has, adding up to `share`. */
export function evenRates(share: number, service: 'any' | 'sqs' = 'any'): FaultRates {
  const kinds = service === 'sqs' ? [...faultKinds, ...sqsFaultKinds] : faultKinds;
  return Object.fromEntries(kinds.map((kind) => [kind, share / kinds.length]));
}

/** How long `delay` and `slow-answer` take at most, in milliseconds. */
export interface FaultTimes {
  readonly delayMs: number;
}

export class FaultSource {
  rates: FaultRates;
  readonly #random: () => number;
  readonly #times: FaultTimes;

  /** @param random uniform in [0, 1): the seed of it all. */
  constructor(rates: FaultRates, random: () => number, times: FaultTimes = { delayMs: 1_500 }) {
    this.rates = rates;
    this.#random = random;
    this.#times = times;
  }

  /** What a new connection meets. */
  drawConnection(): 'refuse' | undefined {
    const { refuse = 0 } = this.rates;
    return refuse > 0 && this.#random() < refuse ? 'refuse' : undefined;
  }

  /** What a request meets. */
  drawRequest(): Exclude<FaultKind, 'refuse'> | undefined {
    let drawn = this.#random();
    for (const kind of [...faultKinds, ...sqsFaultKinds]) {
      if (kind === 'refuse') continue;
      drawn -= this.rates[kind] ?? 0;
      if (drawn < 0) return kind;
    }
    return undefined;
  }

  /** How long a delay lasts, in milliseconds. */
  drawDelayMs(): number {
    return this.#random() * this.#times.delayMs;
  }

  /** Uniform in [0, 1). */
  get random(): () => number {
    return this.#random;
  }

  /** One of several. */
  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[Math.floor(this.#random() * choices.length)] ?? choices[0];
  }
}

/** What was injected, and what came of it. */
export class FaultCounts {
  readonly #counts = new Map<string, number>();

  /** @param name a {@link FaultKind}; `cut`, a cut of everything; `abandoned`, not passed on for its sender had given
   * up; `raced`, its sender gave up after it was passed on. */
  add(name: FaultKind | 'cut' | 'abandoned' | 'raced'): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  toJSON(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => a.localeCompare(b)));
  }
}
