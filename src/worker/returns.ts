/**
 * How often this worker gave a message back for a reason outside the message: no place for it, calls paused, a shutdown.
 * SQS counts such receives too, but they are no failures, and must not count towards `MAX_DELIVERIES`.
 */

/** The most messages remembered: those returned last. Messages that have ended drop out over time. */
const MAX_REMEMBERED = 10_000;

export class Returns {
  /** By message id, in the order of the last return. */
  readonly #counts = new Map<string, number>();

  /** How many receives of the message ended in a return. */
  of(messageId: string): number {
    return this.#counts.get(messageId) ?? 0;
  }

  note(messageId: string): void {
    const count = this.of(messageId) + 1;
    this.#counts.delete(messageId);
    this.#counts.set(messageId, count);
    if (this.#counts.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#counts.keys()) {
      this.#counts.delete(oldest);
      return;
    }
  }
}
