/** How long before their use permits were booked, of the latest calls. PURE. Times are monotonic milliseconds. */

/** Grants remembered: at most a hundred come in a second. */
const MOST = 256;

export class Leads {
  /** In the order of their use. */
  readonly #used: { readonly at: number; readonly bookedAt: number }[] = [];

  add(at: number, bookedAt: number): void {
    this.#used.push({ at, bookedAt });
    if (this.#used.length > 2 * MOST) this.#used.splice(0, MOST);
  }

  /** When the permit was booked of a call that began then; where that is not known, when it began. */
  bookedAt(startedAt: number): number {
    const used = this.#used.findLast(({ at }) => at <= startedAt) ?? this.#used[0];
    return used === undefined ? startedAt : Math.min(startedAt, used.bookedAt);
  }

  clear(): void {
    this.#used.length = 0;
  }
}
