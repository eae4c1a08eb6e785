/**
 * The bounds on calls that are in force: `RATE_LIMIT` and `MAX_CONCURRENCY`, each of which may be set by the environment, by
 * a file and through Redis. Of several the lowest holds, so that the environment's are never exceeded. PURE.
 */

export const boundNames = ['rate', 'concurrency'] as const;
/** `rate` in calls per second, `Infinity` for no limit; `concurrency` in calls in flight. */
export type BoundName = (typeof boundNames)[number];

/** Of equals the first holds. */
export const boundSources = ['environment', 'file', 'redis'] as const;
export type BoundSource = (typeof boundSources)[number];

/** What a source says of a bound. */
export interface Limit {
  /** undefined: nothing, so that the other sources decide; also where somebody has just said so. */
  readonly value?: number | undefined;
  /** Who set it, as far as the source says. */
  readonly by?: string | undefined;
  readonly reason?: string | undefined;
}

/** What a source says. */
export type Limits = Readonly<Record<BoundName, Limit>>;

export const noLimits: Limits = { rate: {}, concurrency: {} };

/** A bound that is in force. */
export interface Bound {
  readonly value: number;
  readonly source: BoundSource;
  /** Since when it has had this value, epoch milliseconds. */
  readonly since: number;
  readonly by?: string;
  readonly reason?: string;
}

/** A source says something else than before. */
export interface BoundChange {
  readonly bound: BoundName;
  /** Whose word has changed. */
  readonly source: BoundSource;
  /** What it says now; undefined: nothing. */
  readonly set: number | undefined;
  readonly by: string | undefined;
  readonly reason: string | undefined;
  /** What was in force before, and what is now: the same where another source says less. */
  readonly from: number;
  readonly to: number;
  /** Who says what is in force now. */
  readonly holds: BoundSource;
}

export interface BoundsOptions {
  /** The environment's. */
  readonly rate: number;
  readonly concurrency: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export class Bounds {
  readonly #now: () => number;
  readonly #said: Map<BoundSource, Limits>;
  readonly #inForce: Record<BoundName, Bound>;
  readonly #listeners: ((change: BoundChange) => void)[] = [];

  constructor({ rate, concurrency, now }: BoundsOptions) {
    this.#now = now;
    this.#said = new Map([['environment', { rate: { value: rate }, concurrency: { value: concurrency } }]]);
    const since = now();
    this.#inForce = {
      rate: { value: rate, source: 'environment', since },
      concurrency: { value: concurrency, source: 'environment', since },
    };
  }

  /** Calls per second at most; `Infinity` for no limit. */
  get rate(): Bound {
    return this.#inForce.rate;
  }

  /** Calls in flight at most. */
  get concurrency(): Bound {
    return this.#inForce.concurrency;
  }

  /** Calls `listener` once for each bound of which a source says something else than before, when it is in force. */
  onChange(listener: (change: BoundChange) => void): void {
    this.#listeners.push(listener);
  }

  /** What the file, or Redis, says now. To be called as often as one likes: what was said before changes nothing. */
  say(source: 'file' | 'redis', limits: Limits): void {
    const before = this.#said.get(source) ?? noLimits;
    this.#said.set(source, limits);
    const changes = boundNames
      .filter((bound) => limits[bound].value !== before[bound].value)
      .map((bound) => this.#change(bound, source, limits[bound]));
    for (const change of changes) for (const listener of this.#listeners) listener(change);
  }

  #change(bound: BoundName, source: BoundSource, { value, by, reason }: Limit): BoundChange {
    const before = this.#inForce[bound];
    const lowest = this.#lowest(bound);
    const same = lowest.value === before.value && lowest.source === before.source;
    this.#inForce[bound] = same ? before : { ...lowest, since: this.#now() };
    return {
      bound,
      source,
      set: value,
      by,
      reason,
      from: before.value,
      to: lowest.value,
      holds: lowest.source,
    };
  }

  #lowest(bound: BoundName): Omit<Bound, 'since'> {
    let lowest: Omit<Bound, 'since'> = { value: Number.POSITIVE_INFINITY, source: 'environment' };
    for (const source of boundSources) {
      const { value = Number.POSITIVE_INFINITY, by, reason } = this.#said.get(source)?.[bound] ?? {};
      if (value >= lowest.value) continue;
      lowest = {
        value,
        source,
        ...(by !== undefined && { by }),
        ...(reason !== undefined && { reason }),
      };
    }
    return lowest;
  }
}
