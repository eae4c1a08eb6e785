/**
 * The numbers of the adaptive rate. Rates are calls per second, times seconds unless said otherwise, shares parts of 1.
 * How they were found, and what each mechanism is worth: docs/decisions/0002-adaptive-rate.md.
 */

export interface Tuning {
  /**
   * The share of throttled calls that the rate settles at. It falls with the rate by a power: of workers that share a limit
   * all see the same share, so that it must stand for one rate if they are to become even.
   */
  readonly target: {
    readonly perSecond: number;
    readonly at100: number;
    readonly power: number;
    readonly most: number;
  };
  /** Part of the rate that a cut takes off; falls with the rate by a power. */
  readonly cut: {
    readonly at100: number;
    readonly power: number;
    readonly least: number;
    readonly most: number;
    /** Most that cuts take off in a second, as a part of the rate: noise that is not known yet must not take all. */
    readonly perSecond: number;
  };
  /**
   * A limit is spent when so many calls in a row were throttled. At twice the limit of a token bucket, where every other call
   * is throttled, a run of 16 is rare.
   */
  readonly spent: { readonly run: number };
  /** A deep cut: more than `share` of at least `calls` were throttled, or more than `mildShare` of at least `mildCalls`. */
  readonly overload: {
    /** Latest calls that are looked at. */
    readonly latest: number;
    readonly calls: number;
    readonly share: number;
    readonly mildCalls: number;
    readonly mildShare: number;
  };
  /** After the first overload, from below what was accepted, the rate doubles until a call is throttled. */
  readonly ramp: {
    /** It begins at this part of what was accepted; */
    readonly part: number;
    /** at least at the rate before divided by this, */
    readonly from: number;
    /** and at so many calls per second. */
    readonly least: number;
    readonly doubling: number;
    /** A doubling takes at least so many round trips, and so many calls. */
    readonly roundTrips: number;
    readonly calls: number;
    /** Where a round trip takes longer, in milliseconds, the ramp would take too long. */
    readonly roundTripMs: number;
  };
  /** After the ramp, which noise may have ended early, a fast climb, until throttled calls are more than noise. */
  readonly growth: {
    /** Per second, as a part of the rate. */
    readonly perSecond: number;
    /** Per second and call per second: at low rates less is known in a second. */
    readonly perCall: number;
    /** A throttled call adds 1 to a sum and an accepted one takes this off. */
    readonly share: number;
    /** The sum with which the fast climb ends. */
    readonly sum: number;
  };
  /** When nothing has been throttled for long, the limit has gone up: the climb doubles and doubles. */
  readonly boost: {
    /** Begins after so many times the calls in which one is throttled at the target. */
    readonly targets: number;
    readonly least: number;
    readonly most: number;
    readonly doubling: number;
    /** Calls per second, per second, to begin with. */
    readonly absolute: number;
    /** Most per second, as a part of the rate, and in calls per second. */
    readonly perSecond: number;
    readonly absoluteMost: number;
  };
  /** After a deep cut, attempts to come back to the rate before. */
  readonly comeback: {
    /** Before the first attempt. It doubles with each that fails, */
    readonly after: number;
    /** up to this. */
    readonly most: number;
    /** Per second, as a part of the rate. */
    readonly perSecond: number;
    /** So long the rate before is worth coming back to. */
    readonly remembered: number;
  };
  /** Most that the rate climbs in a round trip, as a part of it: what it does is seen only after one. */
  readonly perRoundTrip: { readonly climb: number; readonly boost: number };
  /** Noise: {@link NoiseTest}. */
  readonly noise: NoiseTuning;
}

export interface NoiseTuning {
  /** Whether dips are made. */
  readonly tested: boolean;
  /** Part of the rate that a dip takes off, at least; and so many times the share of throttled calls, up to `deepest`. */
  readonly depth: number;
  readonly depthPerShare: number;
  readonly deepest: number;
  /** How long a dip lasts. */
  readonly length: number;
  /** From its begin until what was begun before has ended, and the API has recovered. */
  readonly settling: number;
  /**
   * Between the begins of two dips, for so long; and later. The later is a multiple of the first, and neither depends on what
   * was seen: workers must dip together.
   */
  readonly apart: number;
  readonly young: number;
  readonly apartLater: number;
  /** Calls of a dip that says anything. */
  readonly leastCalls: number;
  /** Calls over which the share in dips is taken. */
  readonly pool: number;
  /** The noise is taken to be less than measured by so many standard deviations. */
  readonly deviations: number;
  /** Throttled calls of a single dip that are believed. */
  readonly believedAtOnce: number;
  /** More than this is no noise. */
  readonly most: number;
  /** Standard deviations below the noise believed at which a dip unlearns it. */
  readonly unlearn: number;
  /** Seconds without a deep cut before a dip says anything. */
  readonly calm: number;
  /** Part of the highest rate lately to go back to when noise has been learnt. */
  readonly back: number;
}

export const defaultTuning: Tuning = {
  target: { perSecond: 0.18, at100: 0.0078, power: 0.6, most: 0.028 },
  cut: { at100: 0.051, power: 0.44, least: 0.01, most: 0.21, perSecond: 0.18 },
  spent: { run: 16 },
  overload: { latest: 60, calls: 16, share: 0.34, mildCalls: 50, mildShare: 0.3 },
  ramp: { part: 0.5, from: 20, least: 8, doubling: 0.22, roundTrips: 2.5, calls: 4, roundTripMs: 570 },
  growth: { perSecond: 0.25, perCall: 0.01, share: 0.02, sum: 2 },
  boost: {
    targets: 2.3,
    least: 5,
    most: 19,
    doubling: 1.8,
    absolute: 0.083,
    perSecond: 0.21,
    absoluteMost: 0.1,
  },
  comeback: { after: 1.8, most: 16, perSecond: 0.4, remembered: 120 },
  perRoundTrip: { climb: 0.025, boost: 0.071 },
  noise: {
    tested: true,
    depth: 0.1,
    depthPerShare: 1.3,
    deepest: 0.3,
    length: 2,
    settling: 0.4,
    apart: 5,
    young: 25,
    apartLater: 20,
    leastCalls: 30,
    pool: 900,
    deviations: 0.87,
    believedAtOnce: 10,
    most: 0.15,
    unlearn: 1.9,
    calm: 4,
    back: 0.82,
  },
};

/**
 * For a fleet that finds one rate together. Its workers need not become even by the share that each sees, so that a low rate
 * can be held with fewer throttled calls.
 */
export const fleetTuning: Tuning = {
  ...defaultTuning,
  target: { ...defaultTuning.target, most: 0.01 },
};
