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

/** A connection that has rested for so long takes the next call: there come to be as many as calls a second, and some more. */
const REST_MS = 1_000;
/** One that has rested for longer may be closed by now: unused connections are, after 4 s. */
const KEPT_MS = 3_000;

/** A machine that had room for no more may have some after this time: whoever took the descriptors may have given them back. */
const FULL_MS = 60_000;

/** Connections that take calls in turn. Times are monotonic milliseconds. */
export class Rotation<T> {
  readonly #open: () => T;
  readonly #most: number;
  /** Where the machine had room for no more: how many there were, and until when that holds. */
  #full = { most: 0, until: Number.NEGATIVE_INFINITY };
  /** Those without a call, by the time since when: the longest first. */
  readonly #free: { readonly connection: T; readonly since: number }[] = [];
  #opened = 0;

  constructor({ most, open }: RotationOptions<T>) {
    this.#most = most;
    this.#open = open;
  }

  /** The connection for a call; to be given back with {@link put}. */
  take(now: number): T {
    // Of what has rested longer than that, the last is the likeliest to be open.
    const kept = this.#free.findIndex(({ since }) => now - since <= KEPT_MS);
    const longest = this.#free[kept];
    const stale = (longest === undefined ? this.#free.length : kept) - 1;
    const next = longest !== undefined && now - longest.since >= REST_MS ? kept : stale;
    const most = now < this.#full.until ? this.#full.most : this.#most;
    if (next === -1 && this.#opened < most) return this.#add();
    const [free] = this.#free.splice(Math.max(0, next), 1);
    return free === undefined ? this.#add() : free.connection;
  }

  /** Its call has ended, with the last byte of its answer. */
  put(connection: T, now: number): void {
    this.#free.push({ connection, since: now });
  }

  /**
   * It could not be opened, as this machine has room for no more: instead of {@link put}. For a minute calls make do with those that
   * there are, and more are opened only where none is free.
   */
  full(now: number): void {
    this.#opened--;
    this.#full = { most: this.#opened, until: now + FULL_MS };
  }

  #add(): T {
    this.#opened++;
    return this.#open();
  }
}
