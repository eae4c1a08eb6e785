/** Totals of several workers. PURE. */
import type { ShownLimit } from '../observe/health.ts';
import { epochMs } from '../time/instant.ts';
import type { WorkerStatus } from './worker-status.ts';

/** Rates are in calls per second; null for no limit. */
export interface Totals {
  readonly callsPerSecond: number;
  /** Messages that ended applied, superseded or dead-lettered. */
  readonly finishedPerSecond: number;
  readonly rate: {
    readonly inForce: number | null;
    readonly found: number | null;
    /** ISO 8601 UTC: since when the rate found has been below the ceiling; null if it is not. */
    readonly foundSince: string | null;
    readonly ceiling: number | null;
    /** What the API was found to allow all of them together; null if unknown. */
    readonly apiLimit: ShownLimit | null;
  };
  readonly inFlight: number;
  readonly held: number;
  readonly deferred: number;
  /** Of the messages held or deferred. */
  readonly oldestAgeSeconds: number;
  /** Since the workers' starts. */
  readonly calls: { readonly made: number; readonly throttled: number; readonly failed: number };
  readonly applied: number;
  readonly superseded: number;
  readonly deadLettered: number;
  readonly deadLetteredByReason: Readonly<Record<string, number>>;
  readonly redis: Redis;
}

/**
 * Whether workers share their rate through Redis: `none` uses it, all have it (`shared`), or some have lost it (`lost`, since
 * the first of them lost it).
 */
type Redis =
  | { readonly state: 'none' }
  | {
      readonly state: 'shared' | 'lost';
      readonly alone: number;
      readonly of: number;
      readonly since: string;
    };

export function totalsOf(workers: readonly WorkerStatus[]): Totals {
  const sum = (read: (worker: WorkerStatus) => number): number =>
    Math.round(workers.reduce((total, worker) => total + read(worker), 0) * 100) / 100;
  const foundSince = workers.flatMap(({ rate }) => rate.foundSince ?? []);
  return {
    callsPerSecond: sum(({ calls }) => calls.perSecond),
    finishedPerSecond: sum(({ messages }) => messages.finishedPerSecond),
    rate: {
      inForce: together(workers, 'inForce'),
      found: together(workers, 'found'),
      foundSince: earliest(foundSince) ?? null,
      ceiling: together(workers, 'ceiling'),
      apiLimit: limitOf(workers),
    },
    inFlight: sum(({ calls }) => calls.inFlight),
    held: sum(({ messages }) => messages.held),
    deferred: sum(({ messages }) => messages.deferred),
    oldestAgeSeconds: Math.max(0, ...workers.map(({ messages }) => messages.oldestAgeSeconds)),
    calls: {
      made: sum(({ calls }) => calls.made),
      throttled: sum(({ calls }) => calls.throttled),
      failed: sum(({ calls }) => calls.failed),
    },
    applied: sum(({ messages }) => messages.applied),
    superseded: sum(({ messages }) => messages.superseded),
    deadLettered: sum(({ messages }) => messages.deadLettered),
    deadLetteredByReason: reasonsOf(workers),
    redis: redisOf(workers),
  };
}

/**
 * Workers that use one fleet rate have it together; each other worker has its own. Workers that share a budget have no more
 * than its ceiling together.
 */
function together(workers: readonly WorkerStatus[], which: 'inForce' | 'found' | 'ceiling'): number | null {
  const each = (some: readonly WorkerStatus[]): number[] =>
    some.map(({ rate }) => rate[which] ?? Number.POSITIVE_INFINITY);
  const sum = (some: readonly WorkerStatus[]): number => each(some).reduce((total, rate) => total + rate, 0);
  const sharing = workers.filter(({ rate }) => rate.budget !== 'none');
  const fleet = sharing.filter(({ rate }) => rate.fleet === 'leading' || rate.fleet === 'following');
  const single = sharing.filter((worker) => !fleet.includes(worker));
  const ceilings = sharing.map(({ rate }) => rate.ceiling ?? Number.POSITIVE_INFINITY);
  const budget = ceilings.length === 0 ? 0 : Math.min(...ceilings);
  const shared = Math.min(Math.max(0, ...each(fleet)) + sum(single), budget);
  const total = shared + sum(workers.filter(({ rate }) => rate.budget === 'none'));
  return Number.isFinite(total) ? Math.round(total * 100) / 100 : null;
}

/**
 * For a fleet, what its leader has found, else what a follower knows of it. For other workers the sum, if each knows its own.
 */
function limitOf(workers: readonly WorkerStatus[]): ShownLimit | null {
  const leader = workers.find(({ rate }) => rate.fleet === 'leading');
  const one = leader ?? workers.find(({ rate }) => rate.fleet === 'following');
  const others = workers.filter(({ rate }) => rate.fleet !== 'leading' && rate.fleet !== 'following');
  const all = one === undefined ? others : [one, ...others];
  const limits = all.flatMap(({ rate }) => rate.apiLimit ?? []);
  const [first] = limits;
  if (first === undefined || limits.length < all.length) return null;
  const most = (values: readonly (number | null)[]): number | null =>
    values.reduce((one, other) => (one === null || other === null ? null : Math.max(one, other)));
  return {
    perSecond: Math.round(limits.reduce((sum, { perSecond }) => sum + perSecond, 0) * 100) / 100,
    within: most(limits.map(({ within }) => within)),
    since: latest(limits.map(({ since }) => since)) ?? first.since,
    periodSeconds: most(limits.map(({ periodSeconds }) => periodSeconds)),
    noise: Math.max(...limits.map(({ noise }) => noise)),
  };
}

function reasonsOf(workers: readonly WorkerStatus[]): Readonly<Record<string, number>> {
  const reasons = new Map<string, number>();
  for (const { messages } of workers)
    for (const [reason, count] of Object.entries(messages.deadLetteredByReason))
      reasons.set(reason, (reasons.get(reason) ?? 0) + count);
  return Object.fromEntries([...reasons].sort(([, a], [, b]) => b - a));
}

function redisOf(workers: readonly WorkerStatus[]): Redis {
  const using = workers.filter(({ rate }) => rate.budget !== 'none');
  const alone = using.filter(({ rate }) => rate.budget === 'alone');
  const since = earliest((alone.length > 0 ? alone : using).map(({ rate }) => rate.budgetSince));
  if (since === undefined) return { state: 'none' };
  return { state: alone.length > 0 ? 'lost' : 'shared', alone: alone.length, of: using.length, since };
}

function latest(times: readonly string[]): string | undefined {
  return times.toSorted((a, b) => epochMs(b) - epochMs(a))[0];
}

function earliest(times: readonly string[]): string | undefined {
  return times.toSorted((a, b) => epochMs(a) - epochMs(b))[0];
}
