/** The order that FIFO queues promise (design 2.4.2), checked on what the API carried out. PURE. */

/** One call that took effect: of which group, and at which place of the group it was sent. */
export interface Placed {
  readonly group: string;
  readonly place: number;
}

/** A group in which an older value was first applied after a newer one, or was the last one applied. */
export interface OrderViolation {
  readonly group: string;
  readonly what: 'first applied after a newer one' | 'last, though not the newest applied';
  readonly place: number;
  readonly newest: number;
}

/** @param applied in the order the API carried them out. */
export function orderViolations(applied: readonly Placed[]): OrderViolation[] {
  const violations: OrderViolation[] = [];
  const groups = new Map<string, { seen: Set<number>; newest: number; last: number }>();
  for (const { group, place } of applied) {
    let state = groups.get(group);
    if (state === undefined) {
      state = { seen: new Set(), newest: -1, last: -1 };
      groups.set(group, state);
    }
    if (!state.seen.has(place) && place < state.newest) {
      violations.push({ group, what: 'first applied after a newer one', place, newest: state.newest });
    }
    state.seen.add(place);
    state.newest = Math.max(state.newest, place);
    state.last = place;
  }
  for (const [group, { newest, last }] of groups) {
    if (last !== newest) {
      violations.push({ group, what: 'last, though not the newest applied', place: last, newest });
    }
  }
  return violations;
}
