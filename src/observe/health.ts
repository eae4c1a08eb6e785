/** Liveness and readiness, from a snapshot of the worker. PURE. */
import type { Bound, BoundName } from '../limits/bounds.ts';
import { counted } from '../text/numbers.ts';
import type { Condition } from '../worker/conditions.ts';
import type { WorkerSnapshot } from '../worker/snapshot.ts';

/** A worker that wants messages but has not completed a poll for this long counts as dead, in milliseconds. */
export const STALLED_MS = 60_000;

export interface Health {
  readonly ok: boolean;
  /** Empty if ok. */
  readonly reasons: readonly string[];
}

/** Alive unless the receive loop has died. A worker that is paused, full, or cut off from SQS is alive. */
export function liveness(now: WorkerSnapshot): Health {
  if (now.pollStalledMs <= STALLED_MS) return { ok: true, reasons: [] };
  return {
    ok: false,
    reasons: [stalled(now.pollStalledMs)],
  };
}

const stalled = (ms: number): string =>
  `no poll has finished for ${Math.round(ms / 1_000)} s although messages are wanted`;

/** Why calls are paused, by the state of the gate. */
export const gateReasons = {
  outage: 'API outage',
  unreachable: 'cannot connect to the API',
  denied: 'the API denies every call: a policy may have been revoked',
  misconfigured: "this worker's credentials, clock or configuration are refused",
} as const;

const heldCalls = 'all calls wait: the API has told several in a row when to retry';

/** The reason, if the gate is closed because of such answers. */
export const notTheApi = 'the answers do not come from the API: is there a proxy in between?';

/** A fact that stops updates or is worth knowing, as shown by `/readyz` and by the log's summary. */
export interface ShownCondition {
  /**
   * One of `conditionNames`; else `starting`, `draining`, `stopped`, `queues`, `calling`, `held-calls`, `refused-letters`, `refused-outcomes`, `polling`.
   */
  readonly condition: string;
  /** What it is about, if it can be raised for several things. */
  readonly of?: string;
  /** `noted`: for information only; updates go through. */
  readonly effect: Condition['effect'];
  /** ISO 8601 UTC. */
  readonly since: string;
  /** ISO 8601 UTC; set if it ends by itself. */
  readonly until?: string;
  readonly why: string;
  /** The name of the last error. */
  readonly error?: string;
}

/** A bound on calls as `/readyz` shows it; null for no limit. */
interface ShownBound extends Omit<Bound, 'value' | 'since'> {
  readonly value: number | null;
  /** ISO 8601 UTC. */
  readonly since: string;
}

/** `RATE_LIMIT` and `MAX_CONCURRENCY` in force, who set them and why. */
export function shownBounds({ bounds }: WorkerSnapshot): Readonly<Record<BoundName, ShownBound>> {
  const shown = ({ value, since, ...who }: Bound): ShownBound => ({
    value: Number.isFinite(value) ? value : null,
    since: new Date(since).toISOString(),
    ...who,
  });
  return { rate: shown(bounds.rate), concurrency: shown(bounds.concurrency) };
}

interface Details {
  readonly effect?: ShownCondition['effect'];
  readonly of?: string | undefined;
  /** Epoch milliseconds. */
  readonly until?: number;
  readonly error?: string | undefined;
}

/** Everything that holds now: the worker's state, its conditions, what a queue refuses, the gate, and the hold. */
export function shownConditions(now: WorkerSnapshot): readonly ShownCondition[] {
  const { state, stateSince, queuesFound, refusedLetters, refusedOutcomes, gate, gateReason } = now;
  const shown: ShownCondition[] = [];
  const show = (
    condition: string,
    why: string,
    since: number,
    { effect = 'not-ready', of, until, error }: Details = {},
  ): void => {
    shown.push({
      condition,
      ...(of !== undefined && { of }),
      effect,
      since: new Date(since).toISOString(),
      ...(until !== undefined && { until: new Date(until).toISOString() }),
      why,
      ...(error !== undefined && { error }),
    });
  };
  if (state !== 'running') show(state, `the worker is ${state}`, stateSince);
  if (!queuesFound) show('queues', 'the queues have not been found yet', stateSince);
  for (const { name, reason, raised, ...rest } of now.conditions)
    if (raised !== undefined) show(name, reason, raised.since, { ...rest, error: raised.error });
  if (refusedLetters !== undefined) {
    const { count, since, error } = refusedLetters;
    show('refused-letters', `the dead-letter queue refuses ${counted(count, 'letter')}`, since, { error });
  }
  if (refusedOutcomes !== undefined) {
    const { count, since, error } = refusedOutcomes;
    show('refused-outcomes', `the outcome queue refuses ${counted(count, 'outcome')}`, since, { error });
  }
  if (gate !== 'open') {
    const cause = gateReason?.kind === 'unidentified' ? notTheApi : gateReasons[gate];
    show('calling', `calls are paused: ${cause}`, now.gateSince ?? now.at, { error: gateReason?.name });
  }
  const { callsHeld, pollStalledMs } = now;
  if (callsHeld !== undefined)
    show('held-calls', heldCalls, callsHeld.since, { effect: 'noted', until: callsHeld.until });
  if (pollStalledMs > STALLED_MS) show('polling', stalled(pollStalledMs), now.at - pollStalledMs);
  return shown;
}

/** The limit of the API that was found, as shown by `/readyz` and `GET /status`. Shares are fractions of 1. */
export interface ShownLimit {
  /** Calls that the API accepts. */
  readonly perSecond: number;
  /** The standard deviation of the latest observations, as a share of the limit; null: there are too few. */
  readonly within: number | null;
  /** ISO 8601 UTC. */
  readonly since: string;
  /** After this time a spent limit accepts calls again; null: within a second. */
  readonly periodSeconds: number | null;
  /** Share of calls that are throttled at any rate. */
  readonly noise: number;
}

/** @returns null while no limit is known. */
export function shownLimit({ apiLimit }: WorkerSnapshot): ShownLimit | null {
  if (apiLimit === undefined) return null;
  const { perSecond, withinShare, since, periodMs, noise } = apiLimit;
  return {
    perSecond: rounded(perSecond, 2),
    within: withinShare === undefined ? null : rounded(withinShare, 4),
    since: new Date(since).toISOString(),
    periodSeconds: periodMs === undefined ? null : rounded(periodMs / 1_000, 1),
    noise: rounded(noise, 4),
  };
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** The rate of calls, as shown by `/readyz`: per second, null for no limit. */
export interface ShownRate {
  /** The most that is let through now. */
  readonly perSecond: number | null;
  readonly ceiling: number | null;
  /** null while no limit is known. */
  readonly apiLimit: ShownLimit | null;
  readonly budget: WorkerSnapshot['rateBudget'];
  /** Who finds the rate: this worker for all, another one for all, or each worker alone while Redis is lost; `none` without Redis. */
  readonly fleet: WorkerSnapshot['rateFleet'];
  /** ISO 8601 UTC; set while `budget` is `alone` because Redis is lost. */
  readonly aloneSince?: string;
}

export function shownRate(now: WorkerSnapshot): ShownRate {
  const { rate, rateCeiling, rateBudget, rateFleet, conditions } = now;
  const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
  const alone = conditions.find(({ name }) => name === 'sharing-rate')?.raised;
  return {
    perSecond: finite(rate),
    ceiling: finite(rateCeiling),
    apiLimit: shownLimit(now),
    budget: rateBudget,
    fleet: rateFleet,
    ...(alone !== undefined && { aloneSince: new Date(alone.since).toISOString() }),
  };
}

/** Ready while updates can be applied: running, all queues found and reachable, calls not paused. */
export function readiness(now: WorkerSnapshot): Health {
  const reasons = shownConditions(now)
    .filter(({ effect }) => effect !== 'noted')
    .map(reasonOf);
  return { ok: reasons.length === 0, reasons };
}

/** The condition as a sentence: why, with the known details in brackets. */
export function reasonOf({ why, of, error, since, until }: ShownCondition): string {
  const known = [of, error, `since ${since}`, until && `until ${until}`].filter((part) => part !== undefined);
  return `${why} (${known.join(', ')})`;
}
