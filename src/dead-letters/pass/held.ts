/**
 * Letters that a pass keeps invisible, from their receive until they are deleted or released. Their leases are extended,
 * so that no letter becomes visible before the pass ends.
 */
import { packRequests } from '../../queue/batch.ts';
import type { BatchFailure, VisibilityChange } from '../../queue/types.ts';
import { type RetrySurroundings, retryBatch } from './retry.ts';

/** The lease of each letter, in seconds: after that, the letters of a killed pass are visible again. */
export const LEASE_SECONDS = 120;

/** Requests in flight at once. */
const LANES = 8;

export interface HeldOptions extends RetrySurroundings {
  readonly changeVisibility: (changes: readonly VisibilityChange[]) => Promise<BatchFailure[]>;
  /** Milliseconds of a clock that never jumps. */
  readonly monotonic: () => number;
  readonly leaseSeconds?: number;
}

interface Lease {
  receiptHandle: string;
  /** When to extend it. */
  due: number;
}

export class HeldLetters {
  readonly #leases = new Map<string, Lease>();
  readonly #options: HeldOptions;
  readonly #leaseSeconds: number;
  readonly #closed = new AbortController();
  #keeping: Promise<void> | undefined;

  constructor(options: HeldOptions) {
    this.#options = options;
    this.#leaseSeconds = options.leaseSeconds ?? LEASE_SECONDS;
  }

  get size(): number {
    return this.#leases.size;
  }

  /** @returns false if the letter was already held: SQS delivered it again, and the newer receipt handle counts. */
  hold(messageId: string, receiptHandle: string): boolean {
    const before = this.#leases.has(messageId);
    this.#leases.delete(messageId);
    this.#leases.set(messageId, { receiptHandle, due: this.#nextDue() });
    this.#keeping ??= this.#keep();
    return !before;
  }

  receiptHandle(messageId: string): string | undefined {
    return this.#leases.get(messageId)?.receiptHandle;
  }

  /** The letter was deleted from the queue. */
  forget(messageId: string): void {
    this.#leases.delete(messageId);
  }

  /**
   * Makes all letters visible again, and holds none afterwards.
   * @returns how many could not be made visible: they become visible when their leases end.
   */
  async releaseAll(): Promise<number> {
    this.#closed.abort();
    await this.#keeping;
    const handles = [...this.#leases.values()].map((lease) => lease.receiptHandle);
    this.#leases.clear();
    return this.#change(handles, 0);
  }

  #nextDue(): number {
    return this.#options.monotonic() + (this.#leaseSeconds * 1_000) / 2;
  }

  async #keep(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      await this.#options.sleep((this.#leaseSeconds * 1_000) / 8, signal);
      if (!signal.aborted) await this.#extendDue();
    }
  }

  /** Leases are ordered by due time: an extended one moves to the end. */
  async #extendDue(): Promise<void> {
    const now = this.#options.monotonic();
    const due: [string, Lease][] = [];
    for (const entry of this.#leases) {
      if (entry[1].due > now) break;
      due.push(entry);
    }
    for (const [messageId, lease] of due) {
      this.#leases.delete(messageId);
      this.#leases.set(messageId, { ...lease, due: this.#nextDue() });
    }
    // A letter whose lease is lost is delivered again at worst: the pass recognises its id.
    await this.#change(
      due.map(([, lease]) => lease.receiptHandle),
      this.#leaseSeconds,
    );
  }

  async #change(handles: readonly string[], seconds: number): Promise<number> {
    const batches = packRequests(handles);
    let failed = 0;
    const lane = async (): Promise<void> => {
      for (const batch of batches) {
        const failures = await retryBatch(
          batch,
          (handle) => handle,
          (some) => this.#options.changeVisibility(some.map((receiptHandle) => ({ receiptHandle, seconds }))),
          this.#options,
        ).catch(() => batch);
        failed += failures.length;
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    return failed;
  }
}
