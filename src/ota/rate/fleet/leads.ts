/** For the latest calls: how long before their use permits were booked. PURE. Times are monotonic milliseconds. */

/** The most grants remembered: at most a hundred come in a second. */
const MOST = 256;

export class Leads {
  /** In the order of their use. */
  readonly #used: { readonly at: number; readonly bookedAt: number }[] = [];

  add(at: number, bookedAt: number): void {
    this.#used.push({ at, bookedAt });
    if (this.#used.length > 2 * MOST) this.#used.splice(0, MOST);
  }

  /** When the permit of a call that began at `startedAt` was booked; if unknown, `startedAt`. */
  bookedAt(startedAt: number): number {
    const used = this.#used.findLast(({ at }) => at <= startedAt) ?? this.#used[0];
    return used === undefined ? startedAt : Math.min(startedAt, used.bookedAt);
  }

  clear(): void {
    this.#used.length = 0;
  }
}
