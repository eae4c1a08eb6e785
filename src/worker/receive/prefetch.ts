/** Prefetch: how many messages are held ahead of their calls, and which are released when fewer may be held. */
import { deferralSeconds, returnSeconds, secondsToExpiring } from '../../message/disposition.ts';
import type { Message } from '../../message/message.ts';
import type { Gate } from '../../ota/gate.ts';
import type { Permits } from '../../ota/permits.ts';
import type { RateControl } from '../../ota/rate/rate-control.ts';
import { BATCH_SIZE, MAX_PAYLOAD_BYTES } from '../../queue/batch.ts';
import { BYTES_PER_CHARACTER, bytesOf, type Delivery } from '../delivery.ts';
import type { Held } from '../held.ts';
import type { Turns } from '../turns.ts';
import { Pace } from './pace.ts';

export interface PrefetchSettings {
  readonly maxConcurrency: number;
  readonly visibilitySeconds: number;
}

export interface PrefetchLimits {
  /** Messages that wait for their call, at most. */
  readonly waiting: number;
  /** Messages held in all, at most: also those backing off, on trial or being settled. */
  readonly held: number;
}

/** While the gate is closed: enough Identifiers to probe with. */
export const closedLimits: PrefetchLimits = { waiting: BATCH_SIZE, held: 3 * BATCH_SIZE };
/** How far ahead of the calls to receive, in seconds at the current rate. */
const HORIZON_SECONDS = 2;
/** How far the rate may fall before messages are released, as a factor on what may wait. */
const LATE_FACTOR = 1.5;
/** Whoever sleeps for longer before its next call may as well do so in the queue, in milliseconds. */
const LONG_SLEEP_MS = 5_000;
/** How much more than in the last second is taken, so that a worker that is let go faster does. */
const GROWTH = 2;

/**
 * How many messages to hold: what can be started soon, and no more. PURE.
 * @param rate calls per second that can be started now; `Infinity` when that is not bounded, or not known.
 * @param lately messages that this worker got through in the last second.
 */
export function prefetchLimits(
  rate: number,
  lately: number,
  gateClosed: boolean,
  { maxConcurrency, visibilitySeconds }: PrefetchSettings,
): PrefetchLimits {
  if (gateClosed) return closedLimits;
  const soon = Math.min(rate * Math.min(HORIZON_SECONDS, visibilitySeconds / 10), lately * GROWTH);
  // A whole receive is worth a longer wait, up to a third of the lease.
  const receive = Math.min(BATCH_SIZE, rate * (visibilitySeconds / 3));
  // Beyond this, more messages held start nothing sooner.
  const useful = Math.max(2 * BATCH_SIZE, 2 * maxConcurrency);
  const waiting = Math.max(1, Math.floor(Math.min(Math.max(soon, receive), useful)));
  return { waiting, held: 2 * (maxConcurrency + waiting) + 10 * BATCH_SIZE };
}

/** How long the queue keeps a message. */
export interface Retention {
  /** `Infinity` while it is unknown: before the queue's attributes have been read, and after a gap. */
  seconds: number;
}

/** The part of the memory for messages that a single receive may take. */
const RECEIVE_SHARE = 1 / 4;
/**
 * What is expected of a message at least, in memory: a quarter of the largest. A producer may begin to send large ones at any
 * time, and all polls under way bring them; so expected, they overshoot the bound by 4 at the worst, and only once.
 */
const LEAST_EXPECTED = (MAX_PAYLOAD_BYTES * BYTES_PER_CHARACTER) / 4;
/** How fast what is expected of a message comes down to what has come. */
const FORGET = 1 / 2;

export interface PrefetchOptions extends PrefetchSettings {
  /** What the messages held may take in memory; see {@link Held.freeBytes}. */
  readonly maxHeldBytes: number;
  readonly held: Held;
  readonly turns: Turns;
  readonly gate: Gate;
  readonly permits: Permits;
  readonly rate: Pick<RateControl, 'rate'>;
  readonly retention: Readonly<Retention>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Monotonic milliseconds. */
  readonly monotonic: () => number;
  readonly random: () => number;
}

export class Prefetch {
  readonly #options: PrefetchOptions;
  /** What must be sent before a message is deleted cannot be sent: no messages are taken. */
  suspended = false;
  readonly #pace = new Pace();
  /** What a message to come is expected to take in memory. */
  #expectedBytes = LEAST_EXPECTED;

  constructor(options: PrefetchOptions) {
    this.#options = options;
  }

  /** Takes in how large messages are: so large may the next ones be. */
  observe(messages: readonly Message[]): void {
    let largest = 0;
    for (const message of messages) largest = Math.max(largest, bytesOf(message));
    this.#expectedBytes = Math.max(largest, this.#expectedBytes * FORGET, LEAST_EXPECTED);
  }

  /** A call starts. */
  started(): void {
    this.#pace.started(this.#options.monotonic(), this.#callsWait);
  }

  /** A message has ended without a call. */
  passed(): void {
    this.#pace.passed(this.#options.monotonic());
  }

  /** Calls wait, and are not paused. */
  get #callsWait(): boolean {
    const { permits } = this.#options;
    return permits.waiting > 0 && !permits.paused;
  }

  get limits(): PrefetchLimits {
    const now = this.#options.monotonic();
    return this.#limitsFor(now, this.#pace.lately(now));
  }

  #limitsFor(now: number, lately: number): PrefetchLimits {
    const { rate, gate } = this.#options;
    const possible = this.#pace.possible(now, this.#callsWait);
    return prefetchLimits(Math.min(rate.rate, possible), lately, gate.closed, this.#options);
  }

  /** Messages that could be taken now; 0 or less: none. */
  get free(): number {
    if (this.suspended) return 0;
    const { gate, permits } = this.#options;
    const { limits } = this;
    // Counted one by one, but few are held then.
    const waiting = gate.closed ? this.#callable.filter(this.#wouldShowMore).length : permits.waiting;
    return Math.min(limits.waiting - waiting, this.#roomWithin(limits));
  }

  /** Messages more that could be held, whatever becomes of them. */
  #roomWithin(limits: PrefetchLimits): number {
    const { held } = this.#options;
    return Math.min(limits.held - held.size, Math.floor(held.freeBytes / this.#expectedBytes));
  }

  /** For how many messages to ask at once: 1-10. */
  get batch(): number {
    const fits = Math.floor((this.#options.maxHeldBytes * RECEIVE_SHARE) / this.#expectedBytes);
    return Math.min(BATCH_SIZE, this.limits.waiting, Math.max(1, fits));
  }

  /** Those not called for yet that could be, as far as others of their group and Identifier go. */
  get #callable(): Delivery[] {
    const { held, turns } = this.#options;
    return [...held].filter((delivery) => isUntried(delivery) && !turns.isWaiting(delivery));
  }

  /** There is no place for it behind another of its Identifier: other workers may take it, later. */
  sendBack(delivery: Delivery): void {
    const { random } = this.#options;
    if (!delivery.decided)
      delivery.interrupt('waiting', returnSeconds(delivery.message.receiveCount, random));
  }

  /** It sleeps before its next call; in the queue where no more can be held, so that others can be called for meanwhile. */
  sleeps(delivery: Delivery, ms: number): void {
    if (ms < LONG_SLEEP_MS || this.#options.gate.closed) return;
    if (this.#roomWithin(this.limits) >= this.batch) return;
    delivery.interrupt('waiting', Math.ceil(ms / 1_000));
  }

  /** Releases whatever is not being called for or settled. */
  releaseAll(): void {
    for (const delivery of this.#options.held) giveUp(delivery);
  }

  /**
   * Releases those behind `delivery` in its message group, because it is lost, deferred or released: called for
   * before it, they would be overwritten by an older value later.
   */
  releaseBehind(delivery: Delivery): void {
    for (const other of this.#options.turns.behind(delivery)) giveUp(other);
  }

  /** Releases what exceeds the limits, after the rate has fallen or the gate has closed. */
  releaseSurplus(): void {
    if (this.#options.gate.closed) this.#releaseBesideProbes();
    else this.#releaseLate();
  }

  /** Ends messages that are expiring, so that they are dead-lettered. */
  releaseExpiring(): void {
    const { held, turns, now, retention } = this.#options;
    for (const delivery of held) {
      // In a group each waits for its turn, which comes to the oldest first.
      if (delivery.state === 'calling' || turns.isBehind(delivery)) continue;
      if (secondsToExpiring(delivery.message, retention.seconds, now()) <= 0) giveUp(delivery);
    }
  }

  /** The rate has fallen: what cannot be started soon any more is for other workers to take, the newest first. */
  #releaseLate(): void {
    const { permits, monotonic } = this.#options;
    // What could be started counts: how much was, depends on what came.
    const { waiting } = this.#limitsFor(monotonic(), Number.POSITIVE_INFINITY);
    const tolerated = waiting * LATE_FACTOR + (waiting < BATCH_SIZE ? 0 : BATCH_SIZE);
    const late = permits.waiting - tolerated;
    // One behind another waits for that one and not for the rate.
    if (late > 0) for (const delivery of this.#callable.slice(-Math.ceil(late))) giveUp(delivery);
  }

  /**
   * The gate is closed: little is held, to probe with. Untried messages go back at once; those that were tried are
   * deferred, a receive's worth more when all that may be held has been tried, so that other Identifiers come.
   */
  #releaseBesideProbes(): void {
    const { held, turns, random } = this.#options;
    // Behind another none can be a probe. A group is not handed out while one of it is held; an Identifier's others are.
    for (const delivery of held) {
      if (turns.isBehind(delivery)) giveUp(delivery);
      else if (turns.isWaiting(delivery)) this.sendBack(delivery);
    }
    const free = [...held].filter(
      (delivery) => !delivery.decided && !delivery.interrupted && delivery.state !== 'calling',
    );
    const untried = free.filter(this.#wouldShowMore);
    const tried = free.filter((delivery) => !this.#wouldShowMore(delivery));
    const triedLimit = closedLimits.held - closedLimits.waiting;
    const full = tried.length >= triedLimit && untried.length === 0;
    const tooMany = tried.length - triedLimit + (full ? closedLimits.waiting : 0);
    for (const delivery of untried.slice(closedLimits.waiting)) giveUp(delivery);
    for (const delivery of tried.slice(0, Math.max(0, tooMany))) {
      // One that was not even called for would be received again at once, and again.
      if (delivery.tally.attempts === 0) this.sendBack(delivery);
      else delivery.interrupt('waiting', deferralSeconds(delivery.message.receiveCount, random));
    }
  }

  /** Whether a probe for it could show more than those before it: neither it nor, when denied, its Identifier was tried. */
  readonly #wouldShowMore = ({ tally, ids }: Delivery): boolean =>
    tally.attempts === 0 &&
    (ids.identifier === undefined || this.#options.gate.isWorthProbing(ids.identifier));
}

function giveUp(delivery: Delivery): void {
  if (!delivery.decided) delivery.interrupt('waiting');
}

/** Not called for yet, and not given up. */
function isUntried(delivery: Delivery): boolean {
  return delivery.tally.attempts === 0 && delivery.state === 'waiting' && !delivery.interrupted;
}
