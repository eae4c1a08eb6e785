/** Why an update was applied again, derived from the exchanges that the proxies recorded. PURE. */
import type { Exchange } from '../../testing/faults/exchange.ts';
import type { FleetRecord, Hold } from './holds.ts';

/** One call that took effect, as seen by the proxy in front of the API. */
export interface EffectiveCall {
  readonly sender: string;
  readonly effectAt: number;
  readonly delivered: boolean;
  readonly fault: string | undefined;
}

/** The calls for one update that took effect, in order. */
export function effectiveCalls(exchanges: readonly Exchange[]): EffectiveCall[] {
  return exchanges
    .flatMap(({ sender, effectAt, delivered, fault, status }) =>
      effectAt !== undefined && status === 204 ? [{ sender, effectAt, delivered, fault }] : [],
    )
    .sort((a, b) => a.effectAt - b.effectAt);
}

/**
 * For each application after the first, why the previous one was not the last.
 * @param holds those of the update's message.
 */
export function whyAgain(
  calls: readonly EffectiveCall[],
  holds: readonly Hold[],
  record: FleetRecord,
): readonly string[] {
  return calls.slice(1).map((next, i) => {
    const call = calls[i];
    return call === undefined ? 'unexplained' : why(call, next, holds, record);
  });
}

function why(call: EffectiveCall, next: EffectiveCall, holds: readonly Hold[], record: FleetRecord): string {
  const { endedAt, how } = record.ends.get(call.sender) ?? { endedAt: undefined, how: 'running' };
  if (
    !call.delivered &&
    (endedAt === undefined || endedAt > call.effectAt + 50 || call.fault !== undefined)
  ) {
    return `answer lost (${call.fault ?? 'the caller gave up'})`;
  }
  if (how === 'killed' && endedAt !== undefined && endedAt < next.effectAt) return 'killed before the delete';
  const held = holds.find(
    ({ sender, from, until }) => sender === call.sender && from <= call.effectAt && call.effectAt <= until,
  );
  if (held === undefined) return 'called after the lease had ended';
  const again = next.sender === call.sender && next.effectAt <= held.until;
  // Delivered, but called again: the answer came when its caller had just given up.
  if (again && call.fault !== undefined) return `answer too late (${call.fault})`;
  if (held.ended === 'lapsed') return 'lease ended before the delete';
  if (how === 'stopped' && endedAt !== undefined && endedAt < next.effectAt)
    return 'stopped before the delete';
  if (held.ended === 'released' || held.ended === 'deferred') return 'released though applied';
  return 'unexplained';
}
