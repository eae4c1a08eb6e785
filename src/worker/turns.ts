/**
 * Whose turn it is, of all deliveries held.
 *
 *   standard queue   one at a time per Identifier, until its calls have ended; what is not valid is never called for and
 *                    has its turn at once
 *   FIFO queue       one at a time per message group, valid or not, until it is settled or lost; within that, one at a
 *                    time per Identifier
 *
 * Few wait for one Identifier ({@link PLACES}): nobody knows how long its turn takes, and what waits takes room from other
 * Identifiers. Whoever finds no place goes back to the queue. On a standard queue, which keeps no order, those go first that
 * no newer one in the line supersedes: once the newer one is applied, the others need no call.
 */
import { freshPart, type NewestField, staleFields } from '../message/newest.ts';
import type { Delivery } from './delivery.ts';

/** Deliveries that wait for the turn of one Identifier, at most, besides the one that has it. */
export const PLACES = 5;

export class Turns {
  readonly #identifiers: Lines<Delivery>;
  /** Of a FIFO queue only. */
  readonly #groups: Lines<Delivery> | undefined;

  /** @param onSurplus a delivery found no place in the line of its Identifier, or lost it to a newer one. */
  constructor(fifo: boolean, onSurplus: (delivery: Delivery) => void) {
    this.#groups = fifo ? new Lines() : undefined;
    this.#identifiers = new Lines({ places: PLACES, onSurplus, ...(!fifo && { isLast: isSuperseded }) });
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

  /** Whether `delivery` waits for another of its group or of its Identifier: it could not be called for now. */
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

/** Whether newer ones among `others` set all fields of `delivery`. */
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
  /** Begins the turn of an item that waits for it. */
  start: (() => void) | undefined;
}

interface LinesOptions<T> {
  /** How many may wait in one line. */
  readonly places: number;
  readonly onSurplus: (item: T) => void;
  /** Whether it lets `others`, which wait too, go first; not so of all of a line. By arrival when omitted. */
  readonly isLast?: (item: T, others: readonly T[]) => boolean;
}

/** A line of items for each key; the first of each has its turn. Memory is that of the items in line. */
class Lines<T> {
  readonly #lines = new Map<string, Place<T>[]>();
  readonly #options: LinesOptions<T> | undefined;

  /** @param options omitted: any number waits. */
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

  /** Leaves the line, wherever the item stands in it; the turn of the first passes to the next. Does nothing when it is not in the line. */
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

  /** One that lets others go first, else whoever came last. */
  #expelSurplus(line: Place<T>[]): void {
    if (this.#options === undefined || line.length <= 1 + this.#options.places) return;
    const index = this.#find(line, 1, true) ?? line.length - 1;
    const [surplus] = line.splice(index, 1);
    if (surplus !== undefined) this.#options.onSurplus(surplus.item);
  }

  /** The first from `from` on that lets others go first, or that does not; undefined when there is none. */
  #find(line: readonly Place<T>[], from: number, last: boolean): number | undefined {
    const waiting = line.slice(from).map(({ item }) => item);
    const isLast = this.#options?.isLast ?? (() => false);
    const index = waiting.findIndex((item) => isLast(item, waiting) === last);
    return index < 0 ? undefined : from + index;
  }
}
