/**
 * Which connection a call takes. PURE.
 *
 * A front end behind the address of an API may hold a part of the API's limit, and a connection goes to one of them for as long as
 * it lives. A pool that takes the first free connection makes nearly all calls over as few as are in flight at once, and the
 * limit that is found is that of a few front ends.
 */

export interface RotationOptions<T> {
  /** No more are opened than this, unless more calls are in flight at once. */
  readonly most: number;
  readonly open: () => T;
}

/**
 * A connection that has rested for so long takes the next call, so that there come to be as many connections as calls a second. Much
 * less than the 4 s after which a connection that is not used is closed.
 */
const REST_MS = 1_000;

/** Connections that take calls in turn. Times are monotonic milliseconds. */
export class Rotation<T> {
  readonly #options: RotationOptions<T>;
  /** Those without a call, by the time since when: the longest first. */
  readonly #free: { readonly connection: T; readonly since: number }[] = [];
  #opened = 0;

  constructor(options: RotationOptions<T>) {
    this.#options = options;
  }

  /** The connection for a call; to be given back with {@link put}. */
  take(now: number): T {
    // Of those that have rested the one that was used last: after a fast time the others stay unused, and are closed.
    const rested = this.#free.findLastIndex(({ since }) => now - since >= REST_MS);
    if (rested === -1 && this.#opened < this.#options.most) return this.#open();
    const [free] = this.#free.splice(Math.max(0, rested), 1);
    return free === undefined ? this.#open() : free.connection;
  }

  /** Its call has ended. */
  put(connection: T, now: number): void {
    this.#free.push({ connection, since: now });
  }

  #open(): T {
    this.#opened++;
    return this.#options.open();
  }
}
