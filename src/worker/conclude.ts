/**
 * The end of one delivery: send its dead letter, publish its outcome, then settle it. Each step is confirmed before the next.
 * A delivery that is `gone` is no longer ours to settle.
 */
import type { DeadLetter } from '../message/dead-letter.ts';
import type { Disposition, Ending } from '../message/disposition.ts';
import type { Outcome } from '../message/outcome.ts';
import type { Delivery } from './delivery.ts';
import type { Deferral } from './events.ts';
import type { Settlement } from './settle/lane.ts';
import type { ConclusionStages } from './stages.ts';

/** Trace result of a step that was withdrawn before it was confirmed. */
const WITHDRAWN = 'withdrawn';

/** How a delivery ended. */
interface Result {
  readonly ending: Ending;
  readonly disposition: Disposition;
  readonly letter?: DeadLetter;
  readonly outcome?: Outcome;
}

/** Carries out `disposition`: dead letter, outcome, then settlement. Stops early when the lease is lost. */
export async function conclude(
  delivery: Delivery,
  ending: Ending,
  disposition: Disposition,
  stages: ConclusionStages,
): Promise<void> {
  if (delivery.gone) return;
  stages.held.settle(delivery);
  const nothingToSend = disposition.action !== 'dead-letter' && stages.outcomes === undefined;
  const published = nothingToSend ? {} : await publish(delivery, disposition, stages);
  if (delivery.gone) return;
  // Withdrawn before it was confirmed as sent, so the message must not be deleted.
  const result: Result =
    published === undefined
      ? { ending, disposition: { action: 'release' } }
      : { ending, disposition, ...published };
  const settlement = await settle(delivery, result.disposition, stages);
  if (settlement.kind === 'refused') lose(delivery, settlement.reason, stages);
  if (settlement.kind !== 'confirmed' || delivery.gone) return;
  // A confirmation after the lease ended proves nothing: another worker may hold the message, and then also those behind it.
  if (!stages.leases.holds(delivery)) stages.prefetch.releaseBehind(delivery);
  stages.leases.drop(delivery);
  delivery.enter('gone');
  report(delivery, result, stages);
}

/** Sends what must be confirmed before the message is deleted. @returns undefined when the sending was withdrawn. */
async function publish(
  delivery: Delivery,
  disposition: Disposition,
  { deadLetters, outcomes, held }: ConclusionStages,
): Promise<Pick<Result, 'letter' | 'outcome'> | undefined> {
  if (disposition.action === 'defer' || disposition.action === 'release') return {};
  let letter: DeadLetter | undefined;
  if (disposition.action === 'dead-letter') {
    delivery.enter('publishing');
    const sendEnds = delivery.trace?.step('dead-letter');
    const request = deadLetters.post(delivery, disposition);
    const sent = await delivery.until('publishing', request, () => deadLetters.withdraw(delivery));
    sendEnds?.(sent === undefined ? WITHDRAWN : undefined);
    if (sent === undefined) return undefined;
    letter = sent.letter;
  }
  if (outcomes === undefined) return { ...(letter !== undefined && { letter }) };
  if (letter === undefined) delivery.enter('publishing');
  held.settle(delivery);
  const publishEnds = delivery.trace?.step('outcome');
  const request = outcomes.post(delivery, disposition);
  const sent = await delivery.until('publishing', request, () => outcomes.withdraw(delivery));
  publishEnds?.(sent === undefined ? WITHDRAWN : undefined);
  if (sent === undefined) return undefined;
  return { ...(letter !== undefined && { letter }), outcome: sent.outcome };
}

async function settle(
  delivery: Delivery,
  disposition: Disposition,
  { settler, leases, held, prefetch }: ConclusionStages,
): Promise<Settlement> {
  delivery.enter('settling');
  held.settle(delivery);
  let request: Promise<Settlement>;
  let settleEnds: ((failure?: string) => void) | undefined;
  if (disposition.action === 'defer' || disposition.action === 'release') {
    prefetch.releaseBehind(delivery);
    const extension = leases.stopExtending(delivery);
    if (extension !== undefined) {
      // Parallel requests may arrive in any order, and a late extension would undo the deferral.
      await extension;
      if (delivery.gone) return { kind: 'withdrawn' };
      held.settle(delivery);
    }
    settleEnds = delivery.trace?.step('change visibility');
    request = settler.changeVisibility(delivery, disposition.action === 'defer' ? disposition.seconds : 0);
  } else {
    settleEnds = delivery.trace?.step('delete');
    request = settler.delete(delivery);
  }
  const settlement = await delivery.until('everything', request, () => settler.withdraw(delivery));
  settleEnds?.(settlement.kind === 'confirmed' ? undefined : settlement.kind);
  return settlement;
}

function report(
  delivery: Delivery,
  { ending, disposition, letter, outcome }: Result,
  stages: ConclusionStages,
): void {
  // A deferral after the message's own failure is no return: it counts towards `MAX_DELIVERIES`.
  if (disposition.action === 'release' || (disposition.action === 'defer' && ending.kind === 'given-up')) {
    stages.returns.note(delivery.message.messageId);
  }
  const superseded = ending.kind === 'applied' || ending.kind === 'superseded' ? ending.superseded : [];
  const failure = ending.kind === 'failed' || ending.kind === 'given-up' ? ending.failure : undefined;
  const { ids, tally } = delivery;
  delivery.trace?.settled({ disposition, ids, attempts: tally.attempts, failure });
  stages.emit({
    type: 'settled',
    subject: delivery,
    disposition,
    attempts: delivery.tally.attempts,
    dwellMs: stages.queueTime.now() - delivery.message.sentAt,
    ...(disposition.action === 'acknowledge' &&
      superseded.length > 0 && { superseded: { fields: superseded, decidedAt: delivery.decidedAt } }),
    ...(disposition.action === 'defer' && { deferral: deferralOf(delivery, disposition.seconds, stages) }),
    ...(letter !== undefined && { deadLetter: letter }),
    ...(outcome !== undefined && { outcome }),
    ...(failure !== undefined && { failure }),
  });
}

function deferralOf(
  { message }: Delivery,
  seconds: number,
  { returns, maxDeliveries, queueTime }: ConclusionStages,
): Deferral {
  return {
    counted: Math.max(0, message.receiveCount - returns.of(message.messageId)),
    most: maxDeliveries,
    visibleAt: queueTime.now() + seconds * 1_000,
  };
}

/** The lease is lost: nothing more is done to this message, nor to the messages behind it in its group. */
export function lose(delivery: Delivery, reason: string, stages: ConclusionStages): void {
  if (delivery.gone) return;
  const { leases, prefetch, held, receiver, emit } = stages;
  delivery.enter('gone');
  leases.drop(delivery);
  delivery.trace?.lost(reason);
  emit({ type: 'lease-lost', subject: delivery, reason });
  delivery.interrupt('everything');
  prefetch.releaseBehind(delivery);
  held.delete(delivery);
  receiver.wake();
}
