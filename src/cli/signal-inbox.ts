/**
 * SIGINT and SIGTERM from the first moment of the process on. Without a handler the system ends the process, or, where it
 * is process 1 of a container, drops the signal. It imports nothing, so that it stands before anything else is loaded.
 *
 *   loading ── begin ─► begun
 *
 * A signal that nobody listens to is kept while the program loads, for the first who listens; once the command has begun
 * it ends the process at once.
 */

export type Signal = 'SIGINT' | 'SIGTERM';
type Listener = (signal: Signal) => void;

/** The part of the process that is needed. */
interface SignalSource {
  on(signal: Signal, listener: Listener): SignalSource;
  exit(code: number): unknown;
}

/** Exit code of a process that a signal has ended: 128 and the signal's number. */
const ended: Readonly<Record<Signal, number>> = { SIGINT: 130, SIGTERM: 143 };

export class SignalInbox {
  readonly #source: SignalSource;
  readonly #listeners = new Set<Listener>();
  #kept: Signal | undefined;
  #begun = false;

  constructor(source: SignalSource) {
    this.#source = source;
    source.on('SIGINT', this.#receive).on('SIGTERM', this.#receive);
  }

  /**
   * Calls `listener` with every signal from now on, and at once with the one that was kept.
   * @returns ends that.
   */
  readonly listen = (listener: Listener): (() => void) => {
    this.#listeners.add(listener);
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept !== undefined) listener(kept);
    return () => this.#listeners.delete(listener);
  };

  /** The command begins: it listens before it first waits for anything, or does not listen to what was kept. */
  begin(): void {
    this.#begun = true;
    setImmediate(() => {
      if (this.#kept !== undefined) this.#source.exit(ended[this.#kept]);
    });
  }

  readonly #receive: Listener = (signal) => {
    if (this.#listeners.size > 0) for (const listener of [...this.#listeners]) listener(signal);
    else if (this.#begun || this.#kept !== undefined) this.#source.exit(ended[signal]);
    else this.#kept = signal;
  };
}
