/** Prefetch: how many messages are held ahead of their calls, and which of them are released when the limit falls. */
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
  /** Messages that may wait for their call. */
  readonly waiting: number;
  /** Messages that may be held in total, including those backing off, on trial or being settled. */
  readonly held: number;
}

/** While the gate is closed: enough Identifiers to probe with. */
export const closedLimits: PrefetchLimits = { waiting: BATCH_SIZE, held: 3 * BATCH_SIZE };
/** How far ahead of the calls to receive, in seconds at the current rate. */
const HORIZON_SECONDS = 2;
/** How far the rate may fall before messages are released: a factor on the number that may wait. */
const LATE_FACTOR = 1.5;
/** A message that sleeps longer than this before its next call may sleep in the queue instead, in milliseconds. */
const LONG_SLEEP_MS = 5_000;
/** How much more may be held than was handled in the last second, so that a worker whose limit rises can speed up. */
const GROWTH = 2;

/**
 * How many messages to hold: as many as can be started soon. PURE.
 * @param rate calls per second that can be started now; `Infinity` when there is no bound, or it is not known.
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
  // A full receive justifies a longer wait, up to a third of the lease.
  const receive = Math.min(BATCH_SIZE, rate * (visibilitySeconds / 3));
  // Holding more than this starts no call sooner.
  const useful = Math.max(2 * BATCH_SIZE, 2 * maxConcurrency);
  const waiting = Math.max(1, Math.floor(Math.min(Math.max(soon, receive), useful)));
  return { waiting, held: 2 * (maxConcurrency + waiting) + 10 * BATCH_SIZE };
}

/** How long the queue keeps a message. */
export interface Retention {
  /** `Infinity` while unknown: before the queue's attributes have been read, and after a gap. */
  seconds: number;
}

/** The part of the memory for messages that a single receive may take. */
const RECEIVE_SHARE = 1 / 4;
/**
 * The least size assumed for a message to come, in memory: a quarter of the largest possible. A producer may start to send
 * large messages at any time, and all polls under way bring them. They then exceed the bound by a factor of 4 at worst, and
 * only once.
 */
const LEAST_EXPECTED = (MAX_PAYLOAD_BYTES * BYTES_PER_CHARACTER) / 4;
/** How fast the assumed size falls towards the sizes received. */
const FORGET = 1 / 2;

export interface PrefetchOptions extends PrefetchSettings {
  /** The memory that held messages may take; see {@link Held.freeBytes}. */
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
  /** What must be sent before a message is deleted cannot be sent, so no messages are taken. */
  suspended = false;
  readonly #pace = new Pace();
  /** The memory that a message to come is expected to take. */
  #expectedBytes = LEAST_EXPECTED;

  constructor(options: PrefetchOptions) {
    this.#options = options;
  }

  /** Learns from the sizes of received messages: the next ones may be as large. */
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

  /** Whether calls wait although calls are not paused. */
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
    // Counting them one by one is cheap here: few are held while the gate is closed.
    const waiting = gate.closed ? this.#callable.filter(this.#wouldShowMore).length : permits.waiting;
    return Math.min(limits.waiting - waiting, this.#roomWithin(limits));
  }

  /** How many more messages could be held, whatever their disposition. */
  #roomWithin(limits: PrefetchLimits): number {
    const { held } = this.#options;
    return Math.min(limits.held - held.size, Math.floor(held.freeBytes / this.#expectedBytes));
  }

  /** How many messages to ask for in one receive: 1-10. */
  get batch(): number {
    const fits = Math.floor((this.#options.maxHeldBytes * RECEIVE_SHARE) / this.#expectedBytes);
    return Math.min(BATCH_SIZE, this.limits.waiting, Math.max(1, fits));
  }

  /** Deliveries not called for yet that no other of their group or Identifier keeps waiting. */
  get #callable(): Delivery[] {
    const { held, turns } = this.#options;
    return [...held].filter((delivery) => isUntried(delivery) && !turns.isWaiting(delivery));
  }

  /** There is no place in the line of its Identifier: defers the message, so that another worker may take it later. */
  sendBack(delivery: Delivery): void {
    const { random } = this.#options;
    if (!delivery.decided)
      delivery.interrupt('waiting', returnSeconds(delivery.message.receiveCount, random));
  }

  /** `delivery` sleeps for `ms` before its next call: in the queue if no more can be held, to make room for others. */
  sleeps(delivery: Delivery, ms: number): void {
    if (ms < LONG_SLEEP_MS || this.#options.gate.closed) return;
    if (this.#roomWithin(this.limits) >= this.batch) return;
    delivery.interrupt('waiting', Math.ceil(ms / 1_000));
  }

  /** Releases everything that is neither being called for nor settled. */
  releaseAll(): void {
    for (const delivery of this.#options.held) giveUp(delivery);
  }

  /**
   * Releases the deliveries behind `delivery` in its message group, because `delivery` is lost, deferred or released. If they
   * were called for first, `delivery` would later overwrite them with an older value.
   */
  releaseBehind(delivery: Delivery): void {
    for (const other of this.#options.turns.behind(delivery)) giveUp(other);
  }

  /** Releases what exceeds the limits, after the rate has fallen or the gate has closed. */
  releaseSurplus(): void {
    if (this.#options.gate.closed) this.#releaseBesideProbes();
    else this.#releaseLate();
  }

  /** Gives up expiring messages, so that they are dead-lettered. */
  releaseExpiring(): void {
    const { held, turns, now, retention } = this.#options;
    for (const delivery of held) {
      // A delivery behind another in its group waits for its turn; the oldest gets its turn first.
      if (delivery.state === 'calling' || turns.isBehind(delivery)) continue;
      if (secondsToExpiring(delivery.message, retention.seconds, now()) <= 0) giveUp(delivery);
    }
  }

  /**
   * The rate has fallen: releases what can no longer be started soon, the newest first, so that other workers can take it.
   */
  #releaseLate(): void {
    const { permits, monotonic } = this.#options;
    // The limit follows from what could be started. What was started lately depends on how many messages came.
    const { waiting } = this.#limitsFor(monotonic(), Number.POSITIVE_INFINITY);
    const tolerated = waiting * LATE_FACTOR + (waiting < BATCH_SIZE ? 0 : BATCH_SIZE);
    const late = permits.waiting - tolerated;
    // A delivery behind another waits for that delivery, not for the rate.
    if (late > 0) for (const delivery of this.#callable.slice(-Math.ceil(late))) giveUp(delivery);
  }

  /**
   * The gate is closed, so few messages are held, only for probes. Surplus untried messages are released at once; surplus
   * tried ones are deferred. When everything that may be held has been tried, one receive's worth more is deferred, so that
   * other Identifiers come.
   */
  #releaseBesideProbes(): void {
    const { held, turns, random } = this.#options;
    // A delivery behind another cannot be a probe. SQS hands out no more of a group while one of it is held, but it does hand
    // out others of the same Identifier.
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
      // Released at once, a message that was not even called for would be received again and again.
      if (delivery.tally.attempts === 0) this.sendBack(delivery);
      else delivery.interrupt('waiting', deferralSeconds(delivery.message.receiveCount, random));
    }
  }

  /** Whether a probe for it could show anything new: it has not been tried, nor (when denied) has its Identifier. */
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
