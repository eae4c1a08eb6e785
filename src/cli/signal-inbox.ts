/**
 * Handles SIGINT and SIGTERM from the start of the process. Without a handler the system ends the process or, for process
 * 1 of a container, ignores the signal. This file imports nothing, so that it takes effect before anything else is
 * loaded.
 *
 *   loading ── begin ─► begun
 *
 * While the program loads, a signal without a listener is kept for the first listener. Once the command has begun,
 * it ends the process at once.
 */

export type Signal = 'SIGINT' | 'SIGTERM';
type Listener = (signal: Signal) => void;

/** The part of the process that is needed. */
interface SignalSource {
  on(signal: Signal, listener: Listener): SignalSource;
  exit(code: number): unknown;
}

/** Exit code of a process ended by a signal: 128 plus the signal's number. */
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
   * Calls `listener` with every signal from now on, and immediately with the one that was kept, if any.
   * @returns a function that stops listening.
   */
  readonly listen = (listener: Listener): (() => void) => {
    this.#listeners.add(listener);
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept !== undefined) listener(kept);
    return () => this.#listeners.delete(listener);
  };

  /** The command begins. It must listen before its first wait, or it does not receive a signal that was kept. */
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
