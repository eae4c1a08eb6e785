/**
 * The path of one delivery: its turn, its calls, its disposition, its dead letter, its outcome, its settlement.
 *
 * Stages return values, and nothing throws for a fault in the message itself. An interruption ends the current wait (see
 * delivery.ts). A delivery that is `gone` is no longer ours to settle.
 */
import {
  countFailure,
  countsWhileOpen,
  type Disposition,
  decideDisposition,
  decideRetry,
  type Ending,
  secondsToExpiring,
} from '../message/disposition.ts';
import type { Failure } from '../message/failure.ts';
import type { Update } from '../message/update.ts';
import { type Attempt, bugFailure, UpdateCall } from '../ota/call.ts';
import { retry } from '../ota/retry.ts';
import { conclude, lose } from './conclude.ts';
import type { Delivery } from './delivery.ts';
import type { CallStages, Stages } from './stages.ts';
import type { Verdict } from './trials.ts';

/** Takes a held delivery from its turn to its confirmed settlement. Never rejects. */
export async function deliver(delivery: Delivery, stages: Stages): Promise<void> {
  const { turns, held } = stages;
  try {
    try {
      const ending = await workInTurn(delivery, stages);
      await conclude(delivery, ending, decide(delivery, ending, stages), stages);
    } catch (thrown) {
      await concludeCrash(delivery, thrown, stages);
    }
  } catch (error) {
    // Not even the crash could be settled: the lease runs out, and SQS delivers the message again.
    stages.emit({ type: 'settle-failed', request: 'settle', count: 1, error });
    lose(delivery, 'a bug in ota-updater', stages);
  } finally {
    delivery.trace?.end();
    turns.leaveIdentifier(delivery);
    turns.leaveGroup(delivery);
    held.delete(delivery);
    stages.receiver.wake();
  }
}

/** A bug in this program anywhere in a delivery ends its message as a bug in a call does. */
async function concludeCrash(delivery: Delivery, thrown: unknown, stages: Stages): Promise<void> {
  if (delivery.gone) return;
  const failure = bugFailure(thrown);
  stages.emit({ type: 'crashed', subject: delivery, failure });
  delivery.enter('crashed');
  stages.turns.leaveIdentifier(delivery);
  const ending: Ending = { kind: 'failed', failure };
  await conclude(delivery, ending, decide(delivery, ending, stages), stages);
}

/** Waits for its turn, then calls. Then the turn for its Identifier is over; that in its group lasts until settled. */
async function workInTurn(delivery: Delivery, stages: Stages): Promise<Ending> {
  const { turns } = stages;
  const group = turns.joinGroup(delivery);
  if (group !== undefined) await delivery.until('waiting', group.promise, group.resolve);
  const turn = turns.joinIdentifier(delivery);
  if (turn !== undefined) await delivery.until('waiting', turn.promise, turn.resolve);
  const ending = await work(delivery, stages);
  turns.leaveIdentifier(delivery);
  if (delivery.tally.attempts === 0) stages.prefetch.passed();
  return ending;
}

/** Calls until this delivery has an ending. */
async function work(delivery: Delivery, stages: Stages): Promise<Ending> {
  const { check } = delivery;
  if (delivery.interrupted) return givenUp(delivery);
  if (delivery.readError !== undefined) throw delivery.readError;
  if (!check.ok) return { kind: 'invalid', message: check.message };
  if (secondsLeft(delivery, stages) <= 0) return givenUp(delivery);
  const ending = await callUntilEnded(check.update, delivery, stages);
  if (ending.kind !== 'failed' || ending.failure.kind !== 'denied' || delivery.gone) return ending;
  const verdict = await trial(check.update.Identifier, ending.failure, delivery, stages);
  return verdict === 'guilty' ? ending : { ...givenUp(delivery), failure: ending.failure };
}

/** Calls for `update` until it is applied, fails for this delivery, or is interrupted. Never throws. */
export async function callUntilEnded(
  update: Update,
  delivery: Delivery,
  stages: CallStages,
): Promise<Ending> {
  const call = new UpdateCall(stages.calls, update, delivery.decidedAt, delivery);
  const attempt = (): Promise<Ending> => attemptOnce(call, delivery, stages);
  const { gate } = stages.calls;
  let { closures } = gate;
  try {
    const first = await attempt();
    if (first.kind !== 'failed') return first;
    let last = first.failure;
    const ending = await retry<Ending>(first, {
      attempt,
      failureOf: (result) => (result.kind === 'failed' ? result.failure : undefined),
      again: (failure) => {
        last = failure;
        // The gate has closed since: the earlier failures were not this message's fault.
        if (closures !== gate.closures) delivery.tally.counted = 0;
        closures = gate.closures;
        return backOff(failure, delivery, stages);
      },
    });
    return ending.kind === 'given-up' ? { ...ending, failure: last } : ending;
  } catch (thrown) {
    return { kind: 'failed', failure: bugFailure(thrown) };
  } finally {
    call.withdraw();
  }
}

/** Waits until the next attempt. @returns false when there must be none. */
async function backOff(failure: Failure, delivery: Delivery, stages: CallStages): Promise<boolean> {
  const { gate, random } = stages.calls;
  if (delivery.gone || isDeniedByItself(delivery, failure, stages)) return false;
  const decision = decideRetry(failure, delivery.tally, gate.closed, stages.retry, random);
  if (!decision.retry) return false;
  stages.prefetch.sleeps(delivery, decision.delayMs);
  await delivery.sleep(decision.delayMs);
  if (delivery.gone) return false;
  delivery.enter('waiting');
  return true;
}

async function attemptOnce(call: UpdateCall, delivery: Delivery, stages: CallStages): Promise<Ending> {
  const { leases, prefetch, receiver, deadline } = stages;
  const leave = await call.prepare();
  if (leave === 'superseded') return { kind: 'superseded', superseded: call.superseded };
  if (leave === 'held') {
    const { claimWaits, random } = stages.calls;
    stages.emit({ type: 'claim-not-free', subject: delivery });
    return { kind: 'given-up', deferSeconds: claimWaits.deferSeconds(random) };
  }
  // The lease keeper's timer may be late, and another consumer may have the message by now.
  if (leave === 'interrupted' || !leases.holdsForCall(delivery)) return givenUp(delivery);
  delivery.enter('calling');
  delivery.tally.attempts++;
  // Now that this message no longer waits for its call, another may be received.
  prefetch.started();
  receiver.wake();
  const attempt = await call.make(delivery.signal ?? deadline);
  if (attempt?.failure !== undefined && !delivery.gone) delivery.enter('backing-off');
  if (attempt !== undefined) observe(attempt, delivery, stages);
  const remembering = call.remember(attempt !== undefined && attempt.failure === undefined);
  if (remembering !== undefined) await remembering;
  if (attempt === undefined) return givenUp(delivery);
  if (attempt.failure === undefined) return { kind: 'applied', superseded: call.superseded };
  countFailure(delivery.tally, attempt.failure, stages.calls.gate.closed);
  return { kind: 'failed', failure: attempt.failure };
}

function observe(attempt: Attempt, delivery: Delivery, stages: CallStages): void {
  const { rate, trials, prefetch, receiver, emit } = stages;
  const { failure, requestId } = attempt;
  rate.observe(attempt);
  delivery.trace?.called(attempt, delivery.tally.attempts);
  if (failure === undefined && trials.open.size > 0) {
    trials.observeApplied(delivery.ids.identifier ?? '', attempt.startedAt);
  }
  emit({
    type: 'attempt',
    subject: delivery,
    attempt: delivery.tally.attempts,
    durationMs: attempt.endedAt - attempt.startedAt,
    ...(failure !== undefined && { failure }),
    ...(requestId !== undefined && { requestId }),
  });
  prefetch.releaseSurplus();
  receiver.wake();
}

/**
 * A 403 waits for evidence that it concerns this update alone, because the policy may have been revoked for all updates.
 * A verdict on an Identifier holds for all its messages; otherwise their trials would follow one after another.
 */
async function trial(
  identifier: string,
  failure: Failure,
  delivery: Delivery,
  { trials, calls: { gate } }: Stages,
): Promise<Verdict> {
  if (gate.denials.isAtFault(identifier)) return 'guilty';
  delivery.enter('on-trial');
  const { verdict, release } = trials.begin(identifier);
  if ((await delivery.until('waiting', verdict, release)) === 'released') return 'released';
  // The trial may have ended without any evidence.
  gate.closeUnlessAtFault(identifier, failure);
  return gate.denials.isAtFault(identifier) ? 'guilty' : 'released';
}

/** Denied, although calls for others were permitted meanwhile. */
function isDeniedByItself({ ids }: Delivery, { kind }: Failure, { calls }: CallStages): boolean {
  return kind === 'denied' && calls.gate.denials.isAtFault(ids.identifier ?? '');
}

function decide(delivery: Delivery, ending: Ending, stages: Stages): Disposition {
  const { message, ids } = delivery;
  const { gate } = stages.calls;
  // Only a failure is judged by the receive count, so only then are the returns subtracted.
  const returned = ending.kind === 'failed' ? stages.returns.of(message.messageId) : 0;
  const receiveCount = message.receiveCount - returned;
  if (ending.kind === 'failed' && countsWhileOpen(ending.failure) && receiveCount >= stages.maxDeliveries)
    gate.closeUnlessAtFault(ids.identifier ?? '', ending.failure);
  const context = {
    receiveCount,
    maxDeliveries: stages.maxDeliveries,
    secondsToExpiring: secondsLeft(delivery, stages),
    // An update that is denied for its own sake stays denied when the gate opens.
    gateClosed:
      gate.closed && !(ending.kind === 'failed' && isDeniedByItself(delivery, ending.failure, stages)),
  };
  return decideDisposition(ending, context, stages.calls.random);
}

function secondsLeft({ message }: Delivery, { retention, queueTime }: Stages): number {
  return secondsToExpiring(message, retention.seconds, queueTime.now());
}

function givenUp({ deferSeconds }: Delivery): Extract<Ending, { kind: 'given-up' }> {
  return { kind: 'given-up', ...(deferSeconds !== undefined && { deferSeconds }) };
}
