/**
 * When large answers to receives are read. A producer may begin to send large messages at any time, and all polls under way
 * then bring them at once: unread they wait on their connections, and cost nothing here.
 */
import { sleep } from '../../time/clock.ts';
import { BYTES_PER_CHARACTER } from '../delivery.ts';
import type { Held } from '../held.ts';

/** Between looks for memory, in milliseconds. Few answers ever wait. */
const LOOK_EVERY_MS = 20;
/** The part of the lease that an answer may wait: its messages' leases are not extended meanwhile. */
const LEASE_SHARE = 1 / 4;

export interface AdmissionOptions {
  readonly held: Pick<Held, 'size' | 'freeBytes'>;
  readonly visibilitySeconds: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

export class Admission {
  readonly #options: AdmissionOptions;
  #reading = false;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /**
   * Resolves when an answer of so many bytes may be read: one at a time, since reading takes several times its size, and
   * when its messages have room. With nothing held they always have. To be ended by `done`.
   * @throws an Error when that takes too long, or `signal` aborts.
   */
  async admit(bytes: number, signal: AbortSignal): Promise<void> {
    const { held, visibilitySeconds, now } = this.#options;
    const until = now() + visibilitySeconds * 1_000 * LEASE_SHARE;
    const hasRoom = (): boolean => held.size === 0 || held.freeBytes >= bytes * BYTES_PER_CHARACTER;
    while (this.#reading || !hasRoom()) {
      if (signal.aborted || now() >= until)
        throw new Error('no memory for more large messages: MAX_HELD_MB is reached');
      await sleep(LOOK_EVERY_MS, signal);
    }
    this.#reading = true;
  }

  /** The answer has been read, and its messages are held. */
  done(): void {
    this.#reading = false;
  }
}
