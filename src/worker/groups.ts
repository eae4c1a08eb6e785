/**
 * Message groups of a FIFO queue: what is in hand of each, in SQS's order, and whose turn it is (design 2.4.2).
 *
 *   waiting ── everything before it has left ─► started ── settled or lost ─► left
 *      └────── withdrawn: keeps its place ─────────────── settled or lost ──────┘
 *
 * Unlike in a lane, a turn does not end with the work: the next one starts when the one before has left, which is when
 * SQS has confirmed its settlement. What was withdrawn holds up those behind it just so.
 */

interface Place<T> {
  readonly item: T;
  state: 'waiting' | 'started' | 'withdrawn';
}

/** One item per group at a time, from its start until it leaves. Memory is that of the items held. */
export class Groups<T> {
  readonly #start: (item: T) => void;
  readonly #groups = new Map<string, Place<T>[]>();
  readonly #keys = new Map<T, string>();

  /** @param start begins the work of an item whose turn has come; its turn lasts until `leave`. */
  constructor(start: (item: T) => void) {
    this.#start = start;
  }

  /** Joins the end of its group; starts now when the group is empty. */
  add(key: string, item: T): void {
    const places = this.#groups.get(key) ?? [];
    this.#groups.set(key, places);
    this.#keys.set(item, key);
    places.push({ item, state: 'waiting' });
    this.#advance(places);
  }

  /** Takes its turn from an item that waits for it; false when it is not waiting here. */
  withdraw(item: T): boolean {
    const place = this.#placesOf(item).find((each) => each.item === item);
    if (place?.state !== 'waiting') return false;
    place.state = 'withdrawn';
    return true;
  }

  /** Whether the item is behind another that has not left. */
  isBehind(item: T): boolean {
    const [first] = this.#placesOf(item);
    return first !== undefined && first.item !== item;
  }

  /** Those behind the item in its group, in order. */
  behind(item: T): T[] {
    const places = this.#placesOf(item);
    const index = places.findIndex((place) => place.item === item);
    return index < 0 ? [] : places.slice(index + 1).map((place) => place.item);
  }

  /** The item is settled or lost, and its work has ended: the next one's turn. */
  leave(item: T): void {
    const key = this.#keys.get(item);
    if (key === undefined) return;
    this.#keys.delete(item);
    const places = this.#groups.get(key) ?? [];
    places.splice(
      places.findIndex((place) => place.item === item),
      1,
    );
    if (places.length === 0) this.#groups.delete(key);
    else this.#advance(places);
  }

  #advance(places: readonly Place<T>[]): void {
    const [first] = places;
    if (first?.state !== 'waiting') return;
    first.state = 'started';
    this.#start(first.item);
  }

  #placesOf(item: T): readonly Place<T>[] {
    const key = this.#keys.get(item);
    return key === undefined ? [] : (this.#groups.get(key) ?? []);
  }
}
