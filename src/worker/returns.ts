/**
 * How often this worker gave a message back for a reason outside the message: no place for it, calls paused, a shutdown.
 * SQS counts such receives too, but they are no failures, and must not bring it nearer to `MAX_DELIVERIES`.
 */

/** Messages remembered, at most: those returned last. One that has ended is forgotten with time. */
const MAX_REMEMBERED = 10_000;

export class Returns {
  /** By message id, in the order of their last return. */
  readonly #counts = new Map<string, number>();

  /** Receives of the message that ended so. */
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
