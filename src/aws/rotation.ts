/**
 * Which connection a call uses. PURE.
 *
 * A front end behind the API's address may hold a part of the API's limit, and a connection stays with one front end for its
 * whole life. A pool that uses the first free connection makes nearly all calls over as few connections as there are calls in
 * flight. The limit found is then that of a few front ends.
 */

export interface RotationOptions<T> {
  /** No more are opened than this, unless more calls are in flight at once. */
  readonly most: number;
  readonly open: () => T;
}

/** A connection idle for this long takes the next call, so there come to be somewhat more connections than calls per second. */
const REST_MS = 1_000;
/** A connection idle for longer than this may be closed by now: unused connections are closed after 4 s. */
const KEPT_MS = 3_000;

/** A machine that could open no more connections may be able to after this time: others may have freed descriptors. */
const FULL_MS = 60_000;

/** Connections that take calls in turn. Times are monotonic milliseconds. */
export class Rotation<T> {
  readonly #open: () => T;
  readonly #most: number;
  /** When the machine could open no more: how many there were, and until when that number is the limit. */
  #full = { most: 0, until: Number.NEGATIVE_INFINITY };
  /** The connections without a call, the longest idle first. */
  readonly #free: { readonly connection: T; readonly since: number }[] = [];
  #opened = 0;

  constructor({ most, open }: RotationOptions<T>) {
    this.#most = most;
    this.#open = open;
  }

  /** The connection for a call; must be given back with {@link put}. */
  take(now: number): T {
    // If all have been idle for longer, the last of them is the likeliest to be open.
    const kept = this.#free.findIndex(({ since }) => now - since <= KEPT_MS);
    const longest = this.#free[kept];
    const stale = (longest === undefined ? this.#free.length : kept) - 1;
    const next = longest !== undefined && now - longest.since >= REST_MS ? kept : stale;
    const most = now < this.#full.until ? this.#full.most : this.#most;
    if (next === -1 && this.#opened < most) return this.#add();
    const [free] = this.#free.splice(Math.max(0, next), 1);
    return free === undefined ? this.#add() : free.connection;
  }

  /** The call of this connection has ended, with the last byte of its answer. */
  put(connection: T, now: number): void {
    this.#free.push({ connection, since: now });
  }

  /**
   * Instead of {@link put}: the connection could not be opened, because this machine has no room for more. For a minute calls use
   * the existing connections, and another is opened only if none is free.
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
