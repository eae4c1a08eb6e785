/** The faults a proxy can inject: drawn by a seeded random source, counted by kind. */

/**
 * - `refuse`: the connection is cut as it is made.
 * - `reset`: cut once the request has been read; it has no effect.
 * - `delay`: the request is forwarded late, or not at all if its sender has given up by then.
 * - `hang`: never forwarded, never answered.
 * - `error`: answered 5xx; no effect.
 * - `garbage`: answered with something the service would never say; no effect.
 * - `slow-answer`: takes effect, answered late.
 * - `half`: takes effect, the answer breaks off in the middle.
 * - `drop`: takes effect, cut instead of answered.
 *
 * Only for SQS; another service, or another request, gets no fault instead:
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

/** Share of requests (for `refuse`: of connections) that get each fault, 0 to 1. */
export type FaultRates = Readonly<Partial<Record<FaultKind, number>>>;

/** The same share of every kind that a service has, adding up to `share`. */
export function evenRates(share: number, service: 'any' | 'sqs' = 'any'): FaultRates {
  const kinds = service === 'sqs' ? [...faultKinds, ...sqsFaultKinds] : faultKinds;
  return Object.fromEntries(kinds.map((kind) => [kind, share / kinds.length]));
}

/** Maximum duration of `delay` and `slow-answer`, in milliseconds. */
export interface FaultTimes {
  readonly delayMs: number;
}

export class FaultSource {
  rates: FaultRates;
  readonly #random: () => number;
  readonly #times: FaultTimes;

  /** @param random uniform in [0, 1): determines everything. */
  constructor(rates: FaultRates, random: () => number, times: FaultTimes = { delayMs: 1_500 }) {
    this.rates = rates;
    this.#random = random;
    this.#times = times;
  }

  /** The fault of a new connection. */
  drawConnection(): 'refuse' | undefined {
    const { refuse = 0 } = this.rates;
    return refuse > 0 && this.#random() < refuse ? 'refuse' : undefined;
  }

  /** The fault of a request. */
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

/** Counts of what was injected, and of the results. */
export class FaultCounts {
  readonly #counts = new Map<string, number>();

  /**
   * @param name a {@link FaultKind}; `cut`, a cut of everything; `abandoned`, not forwarded because its sender had
   * given up; `raced`, its sender gave up after it was forwarded.
   */
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
