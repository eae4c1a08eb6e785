/** From a delivery to its disposition: call, judge, decide. Failure is data here; nothing throws for a message's fault. */

import { type Disposition, decideDisposition, type Ending, EXPIRING_SHARE } from '../message/disposition.ts';
import type { Message } from '../message/message.ts';
import type { Caller } from '../ota/call.ts';
import type { Gate } from '../ota/gate.ts';
import type { Clock } from '../time/clock.ts';
import type { Delivery } from './delivery.ts';
import type { Trials } from './trials.ts';

export interface ProcessorOptions {
  readonly caller: Caller<Delivery>;
  readonly trials: Trials;
  readonly gate: Gate;
  readonly clock: Clock;
  readonly random: () => number;
  readonly maxDeliveries: number;
  readonly retentionSeconds: () => number;
}

export class Processor {
  readonly #options: ProcessorOptions;

  constructor(options: ProcessorOptions) {
    this.#options = options;
  }

  /** Works on a delivery until it has an end. Never throws. */
  async process(delivery: Delivery): Promise<Disposition> {
    const { check } = delivery;
    if (!check.ok) return this.decide(delivery, { kind: 'invalid', message: check.message });
    if (this.secondsToExpiring(delivery.message) <= 0) return this.giveUp(delivery);
    let ending = await this.#options.caller.run(check.update, delivery);
    if (ending.kind === 'failed' && ending.failure.kind === 'denied') {
      const verdict = await this.#options.trials.hold(check.update.Identifier, delivery.interruption);
      if (verdict === 'released') {
        ending = { kind: 'given-up', ...delivery.interruption.requested, failure: ending.failure };
      }
    }
    return this.decide(delivery, ending);
  }

  /** What becomes of a delivery that was given up before it was called for. */
  giveUp(delivery: Delivery): Disposition {
    return this.decide(delivery, { kind: 'given-up', ...delivery.interruption.requested });
  }

  decide(delivery: Delivery, ending: Ending): Disposition {
    const { gate, maxDeliveries, random } = this.#options;
    if (ending.kind === 'failed' || ending.kind === 'given-up') delivery.failure = ending.failure;
    const context = {
      receiveCount: delivery.message.receiveCount,
      maxDeliveries,
      secondsToExpiring: this.secondsToExpiring(delivery.message),
      gateClosed: gate.closed,
    };
    return decideDisposition(ending, context, random);
  }

  /** Seconds until the message must no longer be left to the queue; 0 and below: now. */
  secondsToExpiring(message: Message): number {
    const age = (this.#options.clock.wall() - message.sentAt) / 1_000;
    return this.#options.retentionSeconds() * EXPIRING_SHARE - age;
  }
}
