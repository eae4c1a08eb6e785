/**
 * Decides when large answers to receives are read. A producer may start to send large messages at any time, and then all
 * polls under way bring them at once. An answer that is not read yet waits on its connection and takes no memory in this
 * process.
 */
import { sleep } from '../../time/clock.ts';
import { BYTES_PER_CHARACTER } from '../delivery.ts';
import type { Held } from '../held.ts';

/** Between two looks at the free memory, in milliseconds. Few answers ever wait. */
const LOOK_EVERY_MS = 20;
/** The part of the lease for which an answer may wait: the leases of its messages are not extended meanwhile. */
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
   * Resolves when an answer of `bytes` bytes may be read. Answers are read one at a time, because reading takes several
   * times their size. An answer also waits until its messages fit into memory; with nothing held they always fit. Call
   * `done` afterwards.
   * @throws an Error when the wait takes too long, or `signal` aborts.
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
