/** Liveness and readiness, from a snapshot of the worker. PURE. */
import type { WorkerSnapshot } from '../worker/snapshot.ts';

/** A worker that wants messages and has not finished a poll for this long is dead, in milliseconds. */
export const STALLED_MS = 60_000;

export interface Health {
  readonly ok: boolean;
  /** Empty when ok. */
  readonly reasons: readonly string[];
}

/** Alive unless the receive loop has died. A worker that is paused, full, or cut off from SQS is alive. */
export function liveness(now: WorkerSnapshot): Health {
  if (now.pollStalledMs <= STALLED_MS) return { ok: true, reasons: [] };
  return {
    ok: false,
    reasons: [
      `no poll has finished for ${Math.round(now.pollStalledMs / 1_000)} s although messages are wanted`,
    ],
  };
}

const gateReasons = {
  outage: 'API outage',
  unreachable: 'the API cannot be connected to',
  denied: 'the API denies every call: a policy may have been revoked',
  misconfigured: "this worker's credentials, clock or configuration are refused",
} as const;

/** Where that is why the gate is closed. */
const notTheApi = "the answers are not the API's: is there a proxy before it?";

/** A condition that is raised, as `/readyz` shows it. */
export interface ShownCondition {
  readonly condition: string;
  /** What it is about, where it may be raised for several things. */
  readonly of?: string;
  /** ISO 8601 UTC. */
  readonly since: string;
  /** The name of the last error. */
  readonly error?: string;
}

/** Every condition that is raised: also those with which the worker is ready. */
export function raisedConditions(now: WorkerSnapshot): readonly ShownCondition[] {
  return now.conditions.flatMap(({ name, of, raised }) => {
    if (raised === undefined) return [];
    const { since, error } = raised;
    return [
      {
        condition: name,
        ...(of !== undefined && { of }),
        since: new Date(since).toISOString(),
        ...(error !== undefined && { error }),
      },
    ];
  });
}

/** The rate of calls, as `/readyz` shows it: per second, null for no limit. */
export interface ShownRate {
  /** Let through now, at most. */
  readonly perSecond: number | null;
  readonly ceiling: number | null;
  readonly budget: WorkerSnapshot['rateBudget'];
  /** ISO 8601 UTC; while `budget` is `alone` because Redis is lost. */
  readonly aloneSince?: string;
}

export function shownRate({ rate, rateCeiling, rateBudget, conditions }: WorkerSnapshot): ShownRate {
  const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
  const alone = conditions.find(({ name }) => name === 'sharing-rate')?.raised;
  return {
    perSecond: finite(rate),
    ceiling: finite(rateCeiling),
    budget: rateBudget,
    ...(alone !== undefined && { aloneSince: new Date(alone.since).toISOString() }),
  };
}

/** Ready while updates can be applied: running, all queues found and reachable, calls not paused. */
export function readiness(now: WorkerSnapshot): Health {
  const reasons: string[] = [];
  if (now.state !== 'running') reasons.push(`the worker is ${now.state}`);
  if (!now.queuesFound) reasons.push('the queues have not been found yet');
  for (const { effect, reason, of, raised } of now.conditions) {
    if (raised === undefined || effect === 'noted') continue;
    reasons.push(`${reason}${details(raised.since, of, raised.error)}`);
  }
  if (now.refusedLetters > 0) reasons.push(`the dead-letter queue refuses ${now.refusedLetters} letters`);
  if (now.refusedOutcomes > 0) reasons.push(`the outcome queue refuses ${now.refusedOutcomes} outcomes`);
  if (now.gate !== 'open') {
    const cause = now.gateReason?.kind === 'unidentified' ? notTheApi : gateReasons[now.gate];
    reasons.push(`calls are paused: ${cause}${details(now.gateSince, now.gateReason?.name)}`);
  }
  return { ok: reasons.length === 0, reasons };
}

/** In brackets: what is known of it, and since when. */
function details(since: number | undefined, ...known: readonly (string | undefined)[]): string {
  const from = since === undefined ? undefined : `since ${new Date(since).toISOString()}`;
  const parts = [...known, from].filter((part) => part !== undefined);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}
