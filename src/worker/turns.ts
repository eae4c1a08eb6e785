/**
 * Whose turn it is, of all deliveries held.
 *
 *   standard queue   one at a time per Identifier, until its calls have ended; what is not valid is never called for and
 *                    has its turn at once
 *   FIFO queue       one at a time per message group, valid or not, until it is settled or lost; within that, one at a
 *                    time per Identifier
 */
import type { Delivery } from './delivery.ts';

export class Turns {
  readonly #identifiers = new Lines<Delivery>();
  /** Of a FIFO queue only. */
  readonly #groups: Lines<Delivery> | undefined;

  constructor(fifo: boolean) {
    this.#groups = fifo ? new Lines() : undefined;
  }

  /** Deliveries that wait for another of their Identifier; those behind another of their group are not counted. */
  get waiting(): number {
    return this.#identifiers.behind;
  }

  /**
   * Joins the line of its group.
   * @returns undefined when it is its turn now; else its promise resolves when the turn comes. Whoever stops waiting may
   * resolve it, and keeps the place until `leaveGroup`.
   */
  joinGroup(delivery: Delivery): PromiseWithResolvers<void> | undefined {
    return this.#groups?.join(groupOf(delivery), delivery);
  }

  /** Joins the line of its Identifier; answers as {@link joinGroup} does. */
  joinIdentifier(delivery: Delivery): PromiseWithResolvers<void> | undefined {
    const { identifier } = delivery.ids;
    return delivery.check.ok && identifier !== undefined
      ? this.#identifiers.join(identifier, delivery)
      : undefined;
  }

  /** No call will be made for it any more. */
  leaveIdentifier(delivery: Delivery): void {
    if (delivery.ids.identifier !== undefined) this.#identifiers.leave(delivery.ids.identifier, delivery);
  }

  /** It is settled or lost, and its calls have ended. */
  leaveGroup(delivery: Delivery): void {
    this.#groups?.leave(groupOf(delivery), delivery);
  }

  /** Those that must not be called for once `delivery` is lost, deferred or released, in order. */
  behind(delivery: Delivery): Delivery[] {
    return this.#groups?.itemsBehind(groupOf(delivery), delivery) ?? [];
  }

  /** Whether `delivery` waits for another of its group to be settled. */
  isBehind(delivery: Delivery): boolean {
    return this.#groups?.isBehind(groupOf(delivery), delivery) ?? false;
  }
}

function groupOf({ message }: Delivery): string {
  return message.groupId ?? message.messageId;
}

interface Place<T> {
  readonly item: T;
  /** Begins the turn of an item that waits for it. */
  start: (() => void) | undefined;
}

/** A line of items for each key; the first of each has its turn. Memory is that of the items in line. */
class Lines<T> {
  readonly #lines = new Map<string, Place<T>[]>();
  #behind = 0;

  /** Items that are not the first of their line. */
  get behind(): number {
    return this.#behind;
  }

  join(key: string, item: T): PromiseWithResolvers<void> | undefined {
    const line = this.#lines.get(key);
    if (line === undefined) {
      this.#lines.set(key, [{ item, start: undefined }]);
      return undefined;
    }
    const turn = Promise.withResolvers<void>();
    line.push({ item, start: turn.resolve });
    this.#behind++;
    return turn;
  }

  /** Leaves the line, wherever the item stands in it; the turn of the first passes to the next. Does nothing when it is not in the line. */
  leave(key: string, item: T): void {
    const line = this.#lines.get(key);
    const index = line?.findIndex((place) => place.item === item) ?? -1;
    if (line === undefined || index < 0) return;
    line.splice(index, 1);
    if (line.length === 0) this.#lines.delete(key);
    else this.#behind--;
    if (index === 0) line[0]?.start?.();
  }

  isBehind(key: string, item: T): boolean {
    const line = this.#lines.get(key);
    return line !== undefined && line[0]?.item !== item && line.some((place) => place.item === item);
  }

  itemsBehind(key: string, item: T): T[] {
    const line = this.#lines.get(key) ?? [];
    const index = line.findIndex((place) => place.item === item);
    return index < 0 ? [] : line.slice(index + 1).map((place) => place.item);
  }
}
