/** SQS's batch requests: their limits, the packing of messages into them, and the sorting of their answers. PURE. */
import type { BatchFailure } from './types.ts';

/** The most entries in one batch request, and messages in one receive: SQS's limit. */
export const BATCH_SIZE = 10;
/** The most bytes of body and attributes together, for one message and for one send request: SQS's limit. */
export const MAX_PAYLOAD_BYTES = 1_048_576;

/** An entry that SQS did not carry out, and why. */
interface FailedItem<Item> {
  readonly item: Item;
  readonly failure: BatchFailure;
}

/** The entries of one batch request by their result, each part in the order of the request. */
export interface BatchParts<Item> {
  /** Carried out. */
  readonly taken: readonly Item[];
  /** At fault themselves: the same entry would be refused again. */
  readonly atFault: readonly FailedItem<Item>[];
  /** Not carried out, but not at fault: the same entry may be accepted later. */
  readonly again: readonly FailedItem<Item>[];
}

/**
 * Partitions the entries of an answered batch request.
 * @param failures the failures in the answer, by the keys that `keyOf` gives.
 */
export function partitionBatch<Item>(
  items: readonly Item[],
  failures: readonly BatchFailure[],
  keyOf: (item: Item) => string,
): BatchParts<Item> {
  if (failures.length === 0) return { taken: items, atFault: [], again: [] };
  const byKey = new Map(failures.map((failure) => [failure.key, failure]));
  const taken: Item[] = [];
  const atFault: FailedItem<Item>[] = [];
  const again: FailedItem<Item>[] = [];
  for (const item of items) {
    const failure = byKey.get(keyOf(item));
    if (failure === undefined) taken.push(item);
    else (failure.senderFault ? atFault : again).push({ item, failure });
  }
  return { taken, atFault, again };
}

/** The properties of an item that matter when it is packed into a request. */
export interface PackedItem {
  /** Body and attributes, as SQS counts them. */
  readonly bytes?: number;
  /**
   * No request holds two items of one group: when a request fails in part, a later message of a FIFO group could otherwise
   * overtake an earlier one. undefined: no group.
   */
  readonly group?: string | undefined;
  /** Must be sent in a request without other items. */
  readonly alone?: boolean;
}

export interface RequestLimits {
  /** The most items in one request. Default: {@link BATCH_SIZE}. */
  readonly items?: number;
  /** The most bytes in one request. Default: {@link MAX_PAYLOAD_BYTES}. */
  readonly bytes?: number;
}

/** Packs items into requests that SQS accepts, in order. An item that exceeds the limit by itself gets its own request. */
export class RequestPacker<Item> {
  readonly #measure: (item: Item) => PackedItem;
  readonly #maxItems: number;
  readonly #maxBytes: number;
  #items: Item[] = [];
  #bytes = 0;
  #closed = false;
  readonly #groups = new Set<string>();

  constructor(measure: (item: Item) => PackedItem, limits: RequestLimits = {}) {
    this.#measure = measure;
    this.#maxItems = limits.items ?? BATCH_SIZE;
    this.#maxBytes = limits.bytes ?? MAX_PAYLOAD_BYTES;
  }

  /** @returns the request before `item`, complete, when `item` does not fit into it. `item` then begins the next one. */
  add(item: Item): Item[] | undefined {
    const { bytes = 0, group, alone = false } = this.#measure(item);
    const fits =
      this.#items.length === 0 ||
      (!this.#closed &&
        !alone &&
        this.#items.length < this.#maxItems &&
        this.#bytes + bytes <= this.#maxBytes &&
        (group === undefined || !this.#groups.has(group)));
    const complete = fits ? undefined : this.takeRest();
    this.#items.push(item);
    this.#bytes += bytes;
    this.#closed = alone;
    if (group !== undefined) this.#groups.add(group);
    return complete;
  }

  /** Removes and returns the last request; empty when nothing was added since. */
  takeRest(): Item[] {
    const items = this.#items;
    this.#items = [];
    this.#bytes = 0;
    this.#closed = false;
    this.#groups.clear();
    return items;
  }
}

/** The requests that `items` fill, in order; none is empty. Without `measure`, only the number of items counts. */
export function* packRequests<Item>(
  items: Iterable<Item>,
  measure: (item: Item) => PackedItem = () => ({}),
  limits: RequestLimits = {},
): Generator<Item[], undefined> {
  const packer = new RequestPacker(measure, limits);
  for (const item of items) {
    const complete = packer.add(item);
    if (complete !== undefined) yield complete;
  }
  const rest = packer.takeRest();
  if (rest.length > 0) yield rest;
}
