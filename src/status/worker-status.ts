/**
 * A worker's report on itself: the body of its `GET /status`, made here from a snapshot, and read here by other processes. An
 * answer may come from anything that listens at an address, so what is read has checked types and sizes. PURE.
 */
import { z } from 'zod';
import { parseInstant } from '../message/instant.ts';
import { shownBounds, shownConditions, shownLimit } from '../observe/health.ts';
import { remoteName, remoteText } from '../text/remote.ts';
import { version } from '../version.ts';
import type { QueueDepth } from '../worker/receive/queue-facts.ts';
import type { WorkerSnapshot } from '../worker/snapshot.ts';

const instant = z.string().refine((text) => parseInstant(text) !== undefined, 'must be an ISO 8601 time');
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const number = z.number().min(0).max(1e12);
const name = z.string().max(10_000).transform(remoteName);
const text = z.string().max(10_000).transform(remoteText);
/** null: no limit. */
const rate = number.nullable();

const depth = z
  .object({
    visible: count.nullable(),
    inFlight: count.nullable(),
    delayed: count.nullable(),
    readAt: instant,
  })
  .nullable();

const limit = z.object({
  value: rate,
  source: z.enum(['environment', 'file', 'redis']),
  since: instant,
  by: name.optional(),
  reason: text.optional(),
});

const apiLimit = z.object({
  perSecond: number,
  within: number.nullable(),
  since: instant,
  periodSeconds: number.nullable(),
  noise: number,
});

const workerStatusSchema = z.object({
  /** Distinguishes workers, whatever address they are reached by; assigned at the start of each. */
  worker: name,
  version: name,
  at: instant,
  state: z.enum(['starting', 'running', 'draining', 'stopped']),
  since: instant,
  /** What keeps updates from going through, and other conditions worth knowing. */
  conditions: z
    .array(
      z.object({
        condition: name,
        of: name.optional(),
        effect: z.enum(['noted', 'not-ready', 'stops-receiving']),
        since: instant,
        until: instant.optional(),
        why: text,
        error: name.optional(),
      }),
    )
    .max(100),
  calls: z.object({
    perSecond: number,
    inFlight: count,
    /** Since the start; then how many of these were throttled, and how many failed otherwise. */
    made: count,
    throttled: count,
    failed: count,
    lastSuccess: instant.nullable(),
  }),
  /** Calls per second. */
  rate: z.object({
    inForce: rate,
    /** What the API was found to accept; then since when that has been below `limit`. */
    found: rate,
    foundSince: instant.nullable(),
    ceiling: rate,
    limit: rate,
    /** What the API was found to allow; null if this worker does not know it. Absent in earlier versions. */
    apiLimit: apiLimit.nullable().optional(),
    budget: z.enum(['none', 'shared', 'alone']),
    budgetSince: instant,
    /** If the worker leads or follows, `inForce` and `found` are of the whole fleet. Absent in earlier versions. */
    fleet: z.enum(['none', 'leading', 'following', 'alone']).optional(),
  }),
  /** `RATE_LIMIT` and `MAX_CONCURRENCY` in force, their source, and why. Absent in earlier versions. */
  limits: z.object({ rate: limit, concurrency: limit }).optional(),
  messages: z.object({
    held: count,
    deferred: count,
    finishedPerSecond: number,
    /** Of the messages held or deferred. */
    oldestAgeSeconds: number,
    /** Since the start. */
    applied: count,
    superseded: count,
    deadLettered: count,
    deadLetteredByReason: z.record(name, count).refine((reasons) => Object.keys(reasons).length <= 20),
  }),
  queues: z.object({ source: depth, deadLetter: depth, outcome: depth }),
});

export type WorkerStatus = z.infer<typeof workerStatusSchema>;

/** @param worker the worker's id, made at its start. */
export function workerStatusOf(now: WorkerSnapshot, worker: string): WorkerStatus {
  const { counts, queues } = now;
  return {
    worker,
    version,
    at: time(now.at),
    state: now.state,
    since: time(now.stateSince),
    conditions: shownConditions(now).map((condition) => ({ ...condition })),
    calls: {
      perSecond: rounded(now.callsPerSecond),
      inFlight: now.inFlight,
      made: counts.calls,
      throttled: counts.throttled,
      failed: counts.failed,
      lastSuccess: now.lastSuccess === undefined ? null : time(now.lastSuccess),
    },
    rate: {
      inForce: limited(now.rate),
      found: limited(now.rateFound),
      foundSince: now.rateFoundSince === undefined ? null : time(now.rateFoundSince),
      ceiling: limited(now.rateCeiling),
      limit: limited(now.bounds.rate.value),
      apiLimit: shownLimit(now),
      budget: now.rateBudget,
      budgetSince: time(now.rateBudgetSince),
      fleet: now.rateFleet,
    },
    limits: shownBounds(now),
    messages: {
      held: now.held,
      deferred: now.deferred,
      finishedPerSecond: rounded(now.finishedPerSecond),
      oldestAgeSeconds: Math.round(now.oldestAgeMs / 1_000),
      applied: counts.applied,
      superseded: counts.superseded,
      deadLettered: counts.deadLettered,
      deadLetteredByReason: { ...counts.deadLetteredByReason },
    },
    queues: {
      source: depthOf(queues.source),
      deadLetter: depthOf(queues.deadLetter),
      outcome: depthOf(queues.outcome),
    },
  };
}

/** The content of an answer to `GET /status`, or what is wrong with it, as a phrase. Never throws. */
export function readWorkerStatus(body: string): WorkerStatus | string {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return 'the answer is not JSON, so it is not the status of a worker';
  }
  const { data, error } = workerStatusSchema.safeParse(value);
  if (data !== undefined) return data;
  const where = error.issues[0]?.path.map(String).join('.').slice(0, 60);
  return `the answer is not the status of a worker${where ? ` (${remoteName(where)})` : ''}: is it a worker of this version?`;
}

function depthOf(queue: QueueDepth | undefined): WorkerStatus['queues']['source'] {
  if (queue === undefined) return null;
  const { visible = null, inFlight = null, delayed = null, readAt } = queue;
  return { visible, inFlight, delayed, readAt: time(readAt) };
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}

/** JSON has no Infinity. */
function limited(perSecond: number): number | null {
  return Number.isFinite(perSecond) ? rounded(perSecond) : null;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
