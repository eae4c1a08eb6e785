/**
 * The lease keeper: extends the lease of every message held, from receipt until its delete is confirmed or it is released.
 *
 *   held ── half of it is left ─► extending ── confirmed ─► held
 *   held, extending ── a deferral or release is due ─► extended no more
 *   held, extending ── it runs out, or SQS refuses to extend it ─► lost
 *   extending ── SQS refuses, but a settlement is under way ─► in doubt: lost, unless the settlement is confirmed first
 *   held ── SQS will extend no further ─► at the wall: released before it runs out
 *
 * Leases are stored by deadline (all have the same length, and an extended one goes to the end), so a tick examines only
 * those that are due. A lease that cannot be extended before its deadline is lost.
 */
import { packRequests, partitionBatch } from '../../queue/batch.ts';
import type { BatchFailure, VisibilityChange } from '../../queue/types.ts';
import type { ActionHealth } from './action-health.ts';

/** The total time for which SQS lets one receive hide a message from others, in milliseconds. */
export const MAX_HOLD_MS = 12 * 3_600_000;
/** The part of the lease that is left when it is extended. */
const EXTEND_AT = 1 / 2;
/** Ticks per lease length. */
const TICKS = 6;
/** A lease counts as lost this long before SQS ends it: a twentieth of its length, at most a second. */
const marginMs = (lengthMs: number): number => Math.min(lengthMs / 20, 1_000);

/** How long a message from an idle poll is certainly ours without an extension, in milliseconds. */
export function leastLeaseMs(seconds: number): number {
  const lengthMs = seconds * 1_000;
  return lengthMs * EXTEND_AT - marginMs(lengthMs);
}

export interface Leased {
  readonly message: { readonly receiptHandle: string };
  /** SQS has been asked to settle the message. If it then refuses an extension, it may simply have settled the message. */
  readonly settlementSent?: boolean;
}

export interface LeaseKeeperOptions<T extends Leased> {
  readonly seconds: number;
  /** Milliseconds since an arbitrary start; see `QueueTime`. */
  readonly now: () => number;
  /** Whether leases may have ended without `now` showing it, because the machine may have been suspended. */
  readonly doubtful?: () => boolean;
  readonly extend: (changes: readonly VisibilityChange[]) => Promise<BatchFailure[]>;
  /** The lease is gone; the keeper has forgotten the item. */
  readonly onLost: (item: T, reason: string) => void;
  /** SQS will extend no further: the item must be released before the lease ends. Called once per item. */
  readonly onWall: (item: T) => void;
  readonly onError: (error: unknown, count: number) => void;
  /** How long a call may last, in milliseconds. */
  readonly callTimeoutMs: number;
  readonly health: Pick<ActionHealth, 'carriedOut' | 'failed'>;
  /** For tests. Default: SQS's 12 hours. */
  readonly maxHoldMs?: number;
}

interface Lease {
  readonly heldSince: number;
  deadline: number;
  /** Resolves when SQS has answered the current extension, or its answer is no longer waited for. */
  extending: Promise<void> | undefined;
  extendedNoMore: boolean;
  /** SQS refused an extension while a settlement was under way. */
  inDoubt: boolean;
  atWall: boolean;
}

export class LeaseKeeper<T extends Leased> {
  readonly #options: LeaseKeeperOptions<T>;
  readonly #leases = new Map<T, Lease>();
  readonly #lengthMs: number;
  readonly #maxHoldMs: number;
  readonly #marginMs: number;
  /** False while SQS does not carry out extensions. */
  extendable = true;
  #timer: NodeJS.Timeout | undefined;
  #alarm: NodeJS.Timeout | undefined;

  constructor(options: LeaseKeeperOptions<T>) {
    this.#options = options;
    this.#lengthMs = options.seconds * 1_000;
    this.#marginMs = marginMs(this.#lengthMs);
    this.#maxHoldMs = options.maxHoldMs ?? MAX_HOLD_MS;
  }

  /** The number of messages under lease. */
  get size(): number {
    return this.#leases.size;
  }

  /**
   * Keeps the lease of `item`, received just now, until it is dropped.
   * @param pollMs how long the receive took. SQS began the lease at some time during it. After a short receive the
   * earliest possible time is assumed. After a long one (an idle poll) half a lease is assumed to be left, and the lease
   * is extended at once.
   */
  hold(item: T, pollMs = 0): void {
    const now = this.#options.now();
    this.#leases.set(item, {
      heldSince: now - pollMs,
      deadline: now + this.#lengthMs - Math.min(pollMs, this.#lengthMs * EXTEND_AT),
      extending: undefined,
      extendedNoMore: false,
      inDoubt: false,
      atWall: false,
    });
    this.#timer ??= setInterval(() => this.#tick(), this.#lengthMs / TICKS);
  }

  /** Whether the message is certainly still ours. */
  holds(item: T): boolean {
    return this.#holdsFor(item, 0);
  }

  /**
   * Whether a call for the message may begin now: the message is ours, and stays ours until the call has ended. While
   * leases cannot be extended, the call must fit into the time left. A call cut at the end of the lease may still have
   * taken effect, and the message would be called for again each time it comes.
   */
  holdsForCall(item: T): boolean {
    return this.#holdsFor(item, this.extendable ? 0 : this.#options.callTimeoutMs);
  }

  #holdsFor(item: T, ms: number): boolean {
    const lease = this.#leases.get(item);
    if (lease === undefined || this.#options.doubtful?.() === true) return false;
    return this.#msLeft(lease) > ms;
  }

  /** Milliseconds since its receive was begun; 0 when it is not held. */
  heldMs(item: T): number {
    const lease = this.#leases.get(item);
    return lease === undefined ? 0 : this.#options.now() - lease.heldSince;
  }

  /**
   * The message is about to be deferred or released: its lease is extended no more, whatever the result of that request.
   * An extension sets the same visibility timeout, and would undo the request; and a lease that runs out meanwhile has the
   * wanted effect. (Extensions go on during a delete: they cannot undo it, and the lease must not run out if it is slow.)
   * @returns the end of the current extension, if there is one. Parallel requests may arrive in any order, so the deferral
   * or release must be sent only after it. If it were sent at once and repeated afterwards, it could affect the next
   * receiver's lease.
   */
  stopExtending(item: T): Promise<void> | undefined {
    const lease = this.#leases.get(item);
    if (lease === undefined) return undefined;
    lease.extendedNoMore = true;
    return lease.extending;
  }

  /** Stops keeping the lease: the message is settled. */
  drop(item: T): void {
    this.#leases.delete(item);
    if (this.#leases.size === 0) this.stop();
  }

  /** Stops extending; leases run out by themselves. */
  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#alarm);
    this.#timer = undefined;
    this.#alarm = undefined;
  }

  /** Milliseconds until the lease counts as lost. */
  #msLeft(lease: Lease): number {
    return lease.deadline - this.#marginMs - this.#options.now();
  }

  #tick(): void {
    const now = this.#options.now();
    const due: T[] = [];
    let soonest = Number.POSITIVE_INFINITY;
    for (const [item, lease] of this.#leases) {
      // A lease whose extension was answered late comes after leases that end later, so all are examined.
      if (lease.deadline - now > this.#lengthMs * EXTEND_AT) continue;
      const left = this.#msLeft(lease);
      if (left <= 0) {
        this.#lose(item, 'the lease ran out before it could be extended');
        continue;
      }
      soonest = Math.min(soonest, left);
      if (lease.extending !== undefined || lease.extendedNoMore || lease.inDoubt) continue;
      if (!this.#atWall(item, lease, now)) due.push(item);
    }
    this.#wakeFor(soonest);
    for (const batch of packRequests(due)) {
      const extending = this.#extend(batch, now);
      for (const item of batch) this.#mark(item, extending);
    }
  }

  /** A lease that runs out before the next tick is lost at that time, not at the tick: a call may have to be cut. */
  #wakeFor(soonestMs: number): void {
    clearTimeout(this.#alarm);
    this.#alarm = undefined;
    if (this.#leases.size === 0 || soonestMs > this.#lengthMs / TICKS) return;
    this.#alarm = setTimeout(() => this.#tick(), Math.ceil(soonestMs));
  }

  #atWall(item: T, lease: Lease, now: number): boolean {
    if (now + this.#lengthMs < lease.heldSince + this.#maxHoldMs) return false;
    if (!lease.atWall) {
      lease.atWall = true;
      this.#options.onWall(item);
    }
    return true;
  }

  async #extend(items: readonly T[], now: number): Promise<void> {
    const { seconds, extend, health, onError } = this.#options;
    try {
      const failures = await extend(
        items.map((item) => ({ receiptHandle: item.message.receiptHandle, seconds })),
      );
      const { taken, atFault, again } = partitionBatch(items, failures, (item) => item.message.receiptHandle);
      for (const item of taken) this.#extended(item, now + this.#lengthMs);
      for (const { item, failure } of atFault) this.#refused(item, `${failure.code}: ${failure.message}`);
      for (const { item } of again) this.#mark(item, undefined);
      const [first] = again;
      if (again.length < items.length) health.carriedOut();
      else health.failed(first?.failure);
      if (first !== undefined) onError(first.failure, again.length);
    } catch (error) {
      for (const item of items) this.#mark(item, undefined);
      health.failed(error);
      onError(error, items.length);
    }
  }

  /** The new lease counts from the extension request: the earliest time at which SQS can have begun it. */
  #extended(item: T, deadline: number): void {
    const lease = this.#leases.get(item);
    if (lease === undefined) return;
    this.#leases.delete(item);
    lease.deadline = deadline;
    lease.extending = undefined;
    this.#leases.set(item, lease);
  }

  #mark(item: T, extending: Promise<void> | undefined): void {
    const lease = this.#leases.get(item);
    if (lease !== undefined) lease.extending = extending;
  }

  #refused(item: T, reason: string): void {
    const lease = this.#leases.get(item);
    if (lease === undefined) return;
    if (item.settlementSent) {
      lease.extending = undefined;
      lease.inDoubt = true;
    } else {
      this.#lose(item, reason);
    }
  }

  #lose(item: T, reason: string): void {
    if (!this.#leases.has(item)) return;
    this.drop(item);
    this.#options.onLost(item, reason);
  }
}
