/**
 * Which of the held deliveries have their turn.
 *
 *   standard queue   one at a time per Identifier, until its calls have ended; an invalid message is never called for and
 *                    has its turn at once
 *   FIFO queue       one at a time per message group, valid or not, until it is settled or lost; within the group, one at a
 *                    time per Identifier
 *
 * Few may wait for one Identifier ({@link PLACES}): a turn can take long, and each waiting delivery takes room from other
 * Identifiers. A delivery that finds no place goes back to the queue. A standard queue keeps no order, so there the next turn
 * goes to a delivery that no newer one in the line supersedes: once the newer one is applied, the others need no call.
 */
import { freshPart, type NewestField, staleFields } from '../message/newest.ts';
import type { Delivery } from './delivery.ts';

/** How many deliveries may wait for the turn of one Identifier, besides the one that has it. */
export const PLACES = 5;

export class Turns {
  readonly #identifiers: Lines<Delivery>;
  /** For a FIFO queue only. */
  readonly #groups: Lines<Delivery> | undefined;

  /** @param onSurplus a delivery found no place in the line of its Identifier, or lost its place to a newer one. */
  constructor(fifo: boolean, onSurplus: (delivery: Delivery) => void) {
    this.#groups = fifo ? new Lines() : undefined;
    this.#identifiers = new Lines({ places: PLACES, onSurplus, ...(!fifo && { isLast: isSuperseded }) });
  }

  /**
   * Joins the line of its group.
   * @returns undefined when its turn is now. Otherwise `promise` resolves when the turn comes; a delivery that stops waiting may
   * resolve it, and keeps its place until `leaveGroup`.
   */
  joinGroup(delivery: Delivery): PromiseWithResolvers<void> | undefined {
    return this.#groups?.join(groupOf(delivery), delivery);
  }

  /** Joins the line of its Identifier; returns the same as {@link joinGroup}. */
  joinIdentifier(delivery: Delivery): PromiseWithResolvers<void> | undefined {
    const { identifier } = delivery.ids;
    return delivery.check.ok && identifier !== undefined
      ? this.#identifiers.join(identifier, delivery)
      : undefined;
  }

  /** No more calls will be made for `delivery`. */
  leaveIdentifier(delivery: Delivery): void {
    if (delivery.ids.identifier !== undefined) this.#identifiers.leave(delivery.ids.identifier, delivery);
  }

  /** `delivery` is settled or lost, and its calls have ended. */
  leaveGroup(delivery: Delivery): void {
    this.#groups?.leave(groupOf(delivery), delivery);
  }

  /** The deliveries that must not be called for once `delivery` is lost, deferred or released, in order. */
  behind(delivery: Delivery): Delivery[] {
    return this.#groups?.itemsBehind(groupOf(delivery), delivery) ?? [];
  }

  /** Whether `delivery` waits for another of its group to be settled. */
  isBehind(delivery: Delivery): boolean {
    return this.#groups?.isBehind(groupOf(delivery), delivery) ?? false;
  }

  /** Whether `delivery` waits for another of its group or of its Identifier, so that no call for it could start now. */
  isWaiting(delivery: Delivery): boolean {
    const { identifier } = delivery.ids;
    return (
      this.isBehind(delivery) ||
      (identifier !== undefined && this.#identifiers.isBehind(identifier, delivery))
    );
  }
}

function groupOf({ message }: Delivery): string {
  return message.groupId ?? message.messageId;
}

/** Whether newer deliveries among `others` set all fields of `delivery`. */
function isSuperseded({ check, decidedAt }: Delivery, others: readonly Delivery[]): boolean {
  if (!check.ok) return false;
  const newest = (field: NewestField): number =>
    Math.max(
      ...others.map((other) =>
        other.check.ok && other.check.update[field] !== undefined
          ? other.decidedAt
          : Number.NEGATIVE_INFINITY,
      ),
    );
  const marks = { Description: newest('Description'), TaskConfigurationId: newest('TaskConfigurationId') };
  return freshPart(check.update, staleFields(check.update, decidedAt, marks)) === undefined;
}

interface Place<T> {
  readonly item: T;
  /** Begins the turn of a waiting item. */
  start: (() => void) | undefined;
}

interface LinesOptions<T> {
  /** How many items may wait in one line. */
  readonly places: number;
  readonly onSurplus: (item: T) => void;
  /**
   * Whether `item` lets the `others`, which also wait, go first. Never true for all items of a line. Omitted: order of arrival.
   */
  readonly isLast?: (item: T, others: readonly T[]) => boolean;
}

/** A line of items for each key; the first item of each line has its turn. Memory is proportional to the items in line. */
class Lines<T> {
  readonly #lines = new Map<string, Place<T>[]>();
  readonly #options: LinesOptions<T> | undefined;

  /** @param options omitted: any number of items may wait. */
  constructor(options?: LinesOptions<T>) {
    this.#options = options;
  }

  join(key: string, item: T): PromiseWithResolvers<void> | undefined {
    const line = this.#lines.get(key);
    if (line === undefined) {
      this.#lines.set(key, [{ item, start: undefined }]);
      return undefined;
    }
    const turn = Promise.withResolvers<void>();
    line.push({ item, start: turn.resolve });
    this.#expelSurplus(line);
    return turn;
  }

  /** Removes the item from its line, if it is there. If it was first, its turn passes to the next. */
  leave(key: string, item: T): void {
    const line = this.#lines.get(key);
    const index = line?.findIndex((place) => place.item === item) ?? -1;
    if (line === undefined || index < 0) return;
    line.splice(index, 1);
    if (line.length === 0) this.#lines.delete(key);
    if (index > 0 || line.length === 0) return;
    const next = this.#find(line, 0, false) ?? 0;
    const [first] = line.splice(next, 1);
    if (first === undefined) return;
    line.unshift(first);
    first.start?.();
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

  /** Expels an item that lets others go first, else the last to arrive. */
  #expelSurplus(line: Place<T>[]): void {
    if (this.#options === undefined || line.length <= 1 + this.#options.places) return;
    const index = this.#find(line, 1, true) ?? line.length - 1;
    const [surplus] = line.splice(index, 1);
    if (surplus !== undefined) this.#options.onSurplus(surplus.item);
  }

  /** The first item from `from` on that lets others go first (`last` true) or does not; undefined when there is none. */
  #find(line: readonly Place<T>[], from: number, last: boolean): number | undefined {
    const waiting = line.slice(from).map(({ item }) => item);
    const isLast = this.#options?.isLast ?? (() => false);
    const index = waiting.findIndex((item) => isLast(item, waiting) === last);
    return index < 0 ? undefined : from + index;
  }
}
