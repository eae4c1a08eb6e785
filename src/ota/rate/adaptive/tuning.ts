/**
 * The numbers of the adaptive rate. Rates are calls per second, times are seconds unless noted, shares are parts of 1. How
 * they were found, and what each mechanism is worth: docs/decisions/0002-adaptive-rate.md.
 */

export interface Tuning {
  /**
   * The share of throttled calls at which the rate settles. It falls with the rate by a power law. All workers that share a
   * limit see the same share, so a share must belong to exactly one rate if the workers' rates are to become equal.
   */
  readonly target: {
    readonly at100: number;
    readonly power: number;
    /** The most that the power law gives: calls are not to be throttled more often, so low rates do not become equal. */
    readonly most: number;
    /** But at least so many calls are throttled per second: otherwise a worker with next to nothing would stay there. */
    readonly perSecond: number;
  };
  /** The share of the rate that a cut takes off; falls with the rate by a power law. */
  readonly cut: {
    readonly at100: number;
    readonly power: number;
    readonly least: number;
    readonly most: number;
    /** The most that cuts take off in a second, as a share of the rate: noise not known yet must not take everything. */
    readonly perSecond: number;
    /**
     * Small cuts leave this share of the highest calm rate of the last minute, or of longer while more is throttled than at a limit and
     * dips show no limit. Noise shows only in dips with enough calls, so until it is known it must not take them away. The bound does not
     * hold while more is throttled than noise can be.
     */
    readonly leaves: number;
  };
  /**
   * A limit is spent when this many calls in a row were throttled. At twice the limit of a token bucket, where every other
   * call is throttled, a run of 16 is rare.
   */
  readonly spent: { readonly run: number };
  /** A deep cut: more than `share` of at least `calls` were throttled. */
  readonly overload: {
    /** How many of the latest calls are examined. */
    readonly latest: number;
    readonly calls: number;
    readonly share: number;
  };
  /** After the first overload the rate starts below what was accepted, and doubles until a call is throttled. */
  readonly ramp: {
    /** The ramp begins at this share of what was accepted, */
    readonly part: number;
    /** but at least at the earlier rate divided by this, */
    readonly from: number;
    /** and at least at this many calls per second. */
    readonly least: number;
    readonly doubling: number;
    /** A doubling takes at least this many round trips, and this many calls. */
    readonly roundTrips: number;
    readonly calls: number;
    /** With a longer round trip than this, in milliseconds, the ramp would take too long. */
    readonly roundTripMs: number;
  };
  /** After the ramp, which noise may have ended early: a fast climb, until more calls are throttled than noise explains. */
  readonly growth: {
    /** Per second, as a share of the rate. */
    readonly perSecond: number;
    /** Per second and call per second: at low rates a second shows less. */
    readonly perCall: number;
    /** A throttled call adds 1 to a sum, and an accepted one subtracts this. */
    readonly share: number;
    /** The sum at which the fast climb ends. */
    readonly sum: number;
  };
  /** After a long time without a throttled call, the limit has gone up: the climb doubles again and again. */
  readonly boost: {
    /** Begins after this many times the number of calls of which one is throttled at the target share. */
    readonly targets: number;
    readonly least: number;
    readonly doubling: number;
    /** The initial climb: calls per second, per second. */
    readonly absolute: number;
    /** The most per second, as a share of the rate, and in calls per second. */
    readonly perSecond: number;
    readonly absoluteMost: number;
  };
  /** After a deep cut: attempts to return to the earlier rate. */
  readonly comeback: {
    /** The wait before the first attempt. It doubles with each failure, */
    readonly after: number;
    /** up to this. */
    readonly most: number;
    /** The climb per second, as a share of the rate. */
    readonly perSecond: number;
    /** A failed attempt takes back what it climbed in so many seconds and a round trip: a burst absorbs a rate for a while. */
    readonly takenBack: number;
    /** How long it is worth returning to the earlier rate. */
    readonly remembered: number;
  };
  /** The most that the rate climbs in a round trip, as a share of it: its effect shows only after one. */
  readonly perRoundTrip: { readonly climb: number; readonly boost: number };
  /** Noise: {@link NoiseTest}. */
  readonly noise: NoiseTuning;
}

export interface NoiseTuning {
  /** Whether dips are made. */
  readonly tested: boolean;
  /**
   * The least share of the rate that a dip takes off. More: this multiple of the share of throttled calls, up to `deepest`.
   */
  readonly depth: number;
  readonly depthPerShare: number;
  readonly deepest: number;
  /** How long a dip lasts: the same for all, because calls of a longer dip would be throttled when the others' dips are over. */
  readonly length: number;
  /** From the beginning of a dip until earlier calls have ended, and the API has recovered. */
  readonly settling: number;
  /** When workers dip, `dip-schedule.ts`: the length of a slot; */
  readonly slot: number;
  /** the most by which the time in a slot is shifted from its beginning; */
  readonly shift: number;
  /** how many slots there are to a dip, except while `young`, when each slot has one. */
  readonly slotsPerDip: number;
  readonly young: number;
  /** A dip with fewer calls shows nothing, but the next one continues it, */
  readonly leastCalls: number;
  /** if it begins within this time. */
  readonly continued: number;
  /** The time after which the calls of a dip count for a factor e less. */
  readonly memory: number;
  /** The noise is assumed to be this many standard deviations less than measured. */
  readonly deviations: number;
  /** This many throttled calls in a single dip are believed. */
  readonly believedAtOnce: number;
  /** A larger share is not noise. */
  readonly most: number;
  /** From about 0.8 calls a second up, small cuts settle at a smaller share than this at a limit. */
  readonly ordinary: number;
  /** About so many of the latest calls are compared with `ordinary` and `most`. */
  readonly latest: number;
  /** Standard deviations below the assumed noise at which a dip unlearns it. */
  readonly unlearn: number;
  /** Seconds without a deep cut before a dip shows anything. */
  readonly calm: number;
  /** The share of the highest recent rate to return to when noise has been found. */
  readonly back: number;
  /**
   * For the controller of a fleet, which is usually alone at its limit; undefined for workers that share a limit without Redis: they
   * would take what another's own dips leave. What it is worth beside other callers:
   * docs/decisions/0009-one-controller-for-a-fleet.md.
   */
  readonly alone: AloneTuning | undefined;
}

export interface AloneTuning {
  /** When the rate has fallen to this part without overload, a dip of the deepest kind begins. */
  readonly declined: number;
  /** It lasts until this many calls have begun, */
  readonly calls: number;
  /** or for this many seconds. */
  readonly longest: number;
}

export const defaultTuning: Tuning = {
  target: { at100: 0.0078, power: 0.52, most: 0.038, perSecond: 0.04 },
  cut: { at100: 0.05, power: 0.3, least: 0.01, most: 0.21, perSecond: 0.18, leaves: 0.25 },
  spent: { run: 16 },
  overload: { latest: 40, calls: 20, share: 0.3 },
  ramp: { part: 0.5, from: 20, least: 8, doubling: 0.22, roundTrips: 2.5, calls: 4, roundTripMs: 570 },
  growth: { perSecond: 0.25, perCall: 0.01, share: 0.02, sum: 2 },
  boost: {
    targets: 2.3,
    least: 5,
    doubling: 1.8,
    absolute: 0.083,
    perSecond: 0.21,
    absoluteMost: 0.1,
  },
  comeback: { after: 1.4, most: 11, perSecond: 0.4, takenBack: 1.5, remembered: 120 },
  perRoundTrip: { climb: 0.02, boost: 0.071 },
  noise: {
    tested: true,
    depth: 0.1,
    depthPerShare: 1.3,
    deepest: 0.3,
    length: 2,
    settling: 0.4,
    slot: 5.3,
    shift: 1,
    slotsPerDip: 4,
    young: 25,
    leastCalls: 20,
    continued: 60,
    memory: 300,
    deviations: 0.95,
    believedAtOnce: 10,
    most: 0.15,
    ordinary: 0.05,
    latest: 100,
    unlearn: 2.8,
    calm: 4,
    back: 0.82,
    alone: undefined,
  },
};

/**
 * For a fleet that finds one rate together. Its workers do not need the share of throttled calls to make their rates equal,
 * so a low rate can be held with fewer throttled calls: from four calls a second up 1% at most. It is usually alone at its limit,
 * so what it has seen in dips stays true for longer.
 */
export const fleetTuning: Tuning = {
  ...defaultTuning,
  target: { ...defaultTuning.target, most: 0.01 },
  noise: {
    ...defaultTuning.noise,
    continued: Number.POSITIVE_INFINITY,
    memory: 400,
    deviations: 0,
    unlearn: 3.5,
    alone: { declined: 0.5, calls: 100, longest: 20 },
  },
};
