/** Whether the calls recorded by an API keep the order of a FIFO queue. PURE. */

/** One update as it was sent; within a group all values differ. */
export interface SentUpdate {
  readonly group: string;
  readonly value: string;
  /** It was dead-lettered, so it may have taken effect (if its answer was lost), or not. */
  readonly mayBeMissing?: boolean;
}

/** One call that took effect. */
export interface AppliedUpdate {
  readonly group: string;
  readonly value: string;
}

export interface OrderViolation {
  readonly kind: 'missing' | 'unknown' | 'older-first-applied-after-newer' | 'newest-not-last';
  readonly group: string;
  /** The wrong value. */
  readonly value: string;
  /** The newer value that was there before, or the newest one that was applied. */
  readonly newer?: string;
}

interface GroupState {
  readonly sent: SentUpdate[];
  /** The place of each value in the order of sending. */
  readonly places: Map<string, number>;
  readonly applied: Set<string>;
  newest: number;
  last: number;
}

/**
 * @param sent every update in the order of sending; groups may be mixed.
 * @param applied every call that took effect, in order. Repeating a value that was applied before is no
 * violation, but the last call of a group must have the newest value applied.
 */
export function orderViolations(
  sent: readonly SentUpdate[],
  applied: readonly AppliedUpdate[],
): OrderViolation[] {
  const groups = new Map<string, GroupState>();
  for (const update of sent) {
    const fresh = (): GroupState => ({
      sent: [],
      places: new Map(),
      applied: new Set(),
      newest: -1,
      last: -1,
    });
    const state = groups.get(update.group) ?? fresh();
    groups.set(update.group, state);
    if (state.places.has(update.value)) throw new Error(`${update.group}: ${update.value} was sent twice`);
    state.places.set(update.value, state.sent.length);
    state.sent.push(update);
  }
  const violations: OrderViolation[] = [];
  for (const { group, value } of applied) {
    const state = groups.get(group);
    const place = state?.places.get(value);
    if (state === undefined || place === undefined) {
      violations.push({ kind: 'unknown', group, value });
      continue;
    }
    if (!state.applied.has(value) && place < state.newest) {
      const newer = state.sent[state.newest]?.value ?? '';
      violations.push({ kind: 'older-first-applied-after-newer', group, value, newer });
    }
    state.applied.add(value);
    state.newest = Math.max(state.newest, place);
    state.last = place;
  }
  for (const [group, state] of groups) violations.push(...atTheEnd(group, state));
  return violations;
}

function atTheEnd(group: string, { sent, applied, newest, last }: GroupState): OrderViolation[] {
  const missing = sent
    .filter(({ value, mayBeMissing }) => mayBeMissing !== true && !applied.has(value))
    .map(({ value }): OrderViolation => ({ kind: 'missing', group, value }));
  if (last === newest) return missing;
  const [value = '', newer = ''] = [sent[last]?.value, sent[newest]?.value];
  return [...missing, { kind: 'newest-not-last', group, value, newer }];
}
