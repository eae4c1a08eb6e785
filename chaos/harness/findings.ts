/** The findings of a run, and the promises it broke. */
import type { Exchange } from '../../testing/faults/exchange.ts';
import { orderViolations } from '../../testing/sqs/order.ts';
import { effectiveCalls, whyAgain } from './causes.ts';
import { type Cause, heldByTwo, holdsOf, longestUnattended } from './holds.ts';
import { type Entry, type Letter, settleAccount, updateOf, valuesOf } from './ledger.ts';
import type { Stage } from './stage.ts';
import type { SentUpdate } from './updates.ts';
import type { Fleet } from './workers.ts';

export interface Findings {
  readonly seed: number;
  readonly fifo: boolean;
  readonly redis: boolean;
  readonly seconds: number;
  /** By proxy, then by kind. */
  readonly faults: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly kills: number;
  readonly stops: number;
  readonly updates: number;
  readonly applied: number;
  readonly superseded: number;
  readonly deadLettered: Readonly<Record<string, number>>;
  readonly missing: number;
  readonly appliedMoreThanOnce: number;
  readonly appliedAgainBecause: Readonly<Record<string, number>>;
  readonly deadLetteredMoreThanOnce: number;
  /** Applied, but dead-lettered because the answer was lost. */
  readonly bothAppliedAndDead: number;
  /** undefined if no order is promised. */
  readonly orderViolations: number | undefined;
  /** Milliseconds. */
  readonly longestUnattended: Readonly<Record<Cause, number>>;
  readonly heldByTwo: number;
  readonly leasesLost: number;
  readonly calls: number;
  /** One line for each broken promise. */
  readonly broken: readonly string[];
}

export interface RunRecord {
  readonly seed: number;
  readonly fifo: boolean;
  readonly redis: boolean;
  readonly seconds: number;
  readonly sent: readonly SentUpdate[];
  readonly stage: Stage;
  readonly fleet: Fleet;
  readonly letters: readonly Letter[];
  readonly visibilitySeconds: number;
}

/** Timers are late on a busy machine: how much longer a lease may last, in milliseconds. */
const SLACK_MS = 1_500;

export async function findingsOf(record: RunRecord): Promise<Findings> {
  const { sent, stage, fleet, letters, visibilitySeconds, fifo } = record;
  const account = settleAccount({ sent, applied: stage.applied, letters, left: await stage.leftBodies() });
  const byValue = new Map(
    sent.flatMap((update) => valuesOf(update.fields).map((value) => [value, update] as const)),
  );
  const holds = holdsOf(stage.sqsExchanges, stage.queue, visibilitySeconds);
  const violations = fifo
    ? orderViolations(
        // Missing updates are found by the account.
        sent.map(({ id, groupId = '' }) => ({ group: groupId, value: id, mayBeMissing: true })),
        stage.applied.flatMap((call) => {
          const update = updateOf(call, byValue);
          return update === undefined ? [] : [{ group: update.groupId ?? '', value: update.id }];
        }),
      )
    : undefined;
  const unattended = longestUnattended(holds, fleet);
  const missing = account.missing.map(
    ({ update, left }) =>
      `${update.id} (${update.expectedEnd}) is missing: ${left ? 'still in the queue' : 'lost'}`,
  );
  const leaseMs = visibilitySeconds * 1_000 + SLACK_MS;
  const broken = [
    ...missing,
    ...account.wronglyEnded.map(
      ({ update, letters: reasons, applied }) =>
        `${update.id} (${update.expectedEnd}) ended wrongly: ${applied.length} times applied, letters ${reasons.join()}`,
    ),
    ...account.strangers.map(
      ({ body }) => `a letter that was never sent so: ${JSON.stringify(body.slice(0, 100))}`,
    ),
    ...account.strangeCalls.map(({ identifier }) => `a call that no update asked for: ${identifier}`),
    ...(violations ?? []).map(
      ({ kind, group, value, newer = '' }) => `group ${group}: ${kind}, update ${value} (${newer})`,
    ),
    ...Object.entries(unattended).flatMap(([cause, ms]) =>
      cause !== 'deferred' && ms > leaseMs
        ? [`a message was invisible for ${Math.round(ms)} ms while no worker held it (${cause})`]
        : [],
    ),
    ...fleet.unexpected,
  ];
  return {
    seed: record.seed,
    fifo,
    redis: record.redis,
    seconds: Math.round(record.seconds * 10) / 10,
    faults: {
      sqs: stage.sqsProxy.counts.toJSON(),
      api: stage.apiProxy.counts.toJSON(),
      sts: stage.stsCounts.toJSON(),
      ...(stage.redisProxy && { redis: stage.redisProxy.counts.toJSON() }),
    },
    kills: fleet.count('killed'),
    stops: fleet.count('stopped'),
    updates: sent.length,
    applied: account.entries.filter(({ applied }) => applied.length > 0).length,
    superseded: account.superseded.length,
    deadLettered: account.byReason,
    missing: account.missing.length,
    appliedMoreThanOnce: account.appliedMoreThanOnce.length,
    appliedAgainBecause: causesOf(account.appliedMoreThanOnce, record, holds, byValue),
    deadLetteredMoreThanOnce: account.deadLetteredMoreThanOnce.length,
    bothAppliedAndDead: account.entries.filter(
      ({ applied, letters: reasons }) => applied.length > 0 && reasons.length > 0,
    ).length,
    orderViolations: violations?.length,
    longestUnattended: unattended,
    heldByTwo: heldByTwo(holds, fleet),
    leasesLost: fleet.leasesLost.size,
    calls: stage.api.stats().calls,
    broken,
  };
}

function causesOf(
  entries: readonly Entry[],
  { stage, fleet }: RunRecord,
  holds: ReturnType<typeof holdsOf>,
  byValue: ReadonlyMap<string, SentUpdate>,
): Record<string, number> {
  const exchanges = new Map<SentUpdate, Exchange[]>();
  for (const exchange of stage.apiExchanges) {
    if (exchange.status !== 204) continue;
    const update = updateOf({ fields: JSON.parse(exchange.body) as object }, byValue);
    if (update !== undefined) exchanges.set(update, [...(exchanges.get(update) ?? []), exchange]);
  }
  const counts: Record<string, number> = {};
  for (const { update } of entries) {
    const own = holds.filter(({ body }) => body === update.body);
    for (const cause of whyAgain(effectiveCalls(exchanges.get(update) ?? []), own, fleet)) {
      counts[cause] = (counts[cause] ?? 0) + 1;
    }
  }
  return counts;
}
