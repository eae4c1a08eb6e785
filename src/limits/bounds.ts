/**
 * The bounds on calls in force: `RATE_LIMIT` and `MAX_CONCURRENCY`. Each may be set by the environment, by a file and
 * through Redis. The lowest applies, so the environment's values are never exceeded. PURE.
 */

export const boundNames = ['rate', 'concurrency'] as const;
/** `rate` in calls per second, `Infinity` for no limit; `concurrency` in calls in flight. */
export type BoundName = (typeof boundNames)[number];

/** If values are equal, the first source in this list holds. */
export const boundSources = ['environment', 'file', 'redis'] as const;
export type BoundSource = (typeof boundSources)[number];

/** A source's setting of a bound. */
export interface Limit {
  /** undefined: the source sets no limit, so that the others decide; also after somebody has lifted its limit. */
  readonly value?: number | undefined;
  /** Who set it, if the source says so. */
  readonly by?: string | undefined;
  readonly reason?: string | undefined;
}

/** The settings of one source. */
export type Limits = Readonly<Record<BoundName, Limit>>;

export const noLimits: Limits = { rate: {}, concurrency: {} };

/** A bound in force. */
export interface Bound {
  readonly value: number;
  readonly source: BoundSource;
  /** Since when it has had this value, epoch milliseconds. */
  readonly since: number;
  readonly by?: string;
  readonly reason?: string;
}

/** A source's setting has changed. */
export interface BoundChange {
  readonly bound: BoundName;
  /** The source that has changed. */
  readonly source: BoundSource;
  /** Its new value; undefined: none. */
  readonly set: number | undefined;
  readonly by: string | undefined;
  readonly reason: string | undefined;
  /** What was in force before. `to` is in force now: the same value if another source sets a lower one. */
  readonly from: number;
  readonly to: number;
  /** The source whose value is in force now. */
  readonly holds: BoundSource;
}

export interface BoundsOptions {
  /** The environment's value. */
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

  /** The most calls per second; `Infinity` for no limit. */
  get rate(): Bound {
    return this.#inForce.rate;
  }

  /** The most calls in flight. */
  get concurrency(): Bound {
    return this.#inForce.concurrency;
  }

  /** Calls `listener` once for each bound for which a source's setting has changed, after the change is in force. */
  onChange(listener: (change: BoundChange) => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Sets the current settings of the file or Redis. May be called at any time: repeating the same settings changes nothing.
   */
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
