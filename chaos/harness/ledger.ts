/** The ledger: how each update that was sent ended. PURE. */
import type { Fields, SentUpdate } from './updates.ts';

/** A call that the API carried out. */
export interface AppliedCall {
  readonly identifier: string;
  readonly fields: Fields;
  /** Epoch milliseconds. */
  readonly at: number;
}

export interface Letter {
  readonly body: string;
  /** undefined: the letter has no record. */
  readonly reason: string | undefined;
}

export interface Evidence {
  readonly sent: readonly SentUpdate[];
  /** In the order in which the API carried them out. */
  readonly applied: readonly AppliedCall[];
  readonly letters: readonly Letter[];
  /** Bodies of the messages still on the source queue, visible or not. */
  readonly left: readonly string[];
}

/** How one update ended. */
export interface Entry {
  readonly update: SentUpdate;
  /** Its calls that took effect, in order. */
  readonly applied: readonly AppliedCall[];
  /** One reason per letter. */
  readonly letters: readonly (string | undefined)[];
  /** Newer values of the same task took effect in all its fields, and it is gone from the queue. */
  readonly superseded: boolean;
  readonly left: boolean;
}

export interface Account {
  readonly entries: readonly Entry[];
  /** Neither applied nor superseded nor dead-lettered: lost, or still on the queue. */
  readonly missing: readonly Entry[];
  readonly superseded: readonly Entry[];
  readonly appliedMoreThanOnce: readonly Entry[];
  readonly deadLetteredMoreThanOnce: readonly Entry[];
  /**
   * Ended differently than its content requires; ends that only faults can cause (RetriesExhausted) are not counted
   * here.
   */
  readonly wronglyEnded: readonly Entry[];
  /** Letters whose body differs from all that were sent, compared byte for byte. */
  readonly strangers: readonly Letter[];
  /** Calls without any value that was sent. */
  readonly strangeCalls: readonly AppliedCall[];
  readonly byReason: Readonly<Record<string, number>>;
}

/** Settles the account of a run. */
export function settleAccount({ sent, applied, letters, left }: Evidence): Account {
  const byValue = new Map(
    sent.flatMap((update) => valuesOf(update.fields).map((value) => [value, update] as const)),
  );
  const byBody = new Map(sent.map((update) => [update.body, update]));
  const calls = groupBy(applied, (call) => updateOf(call, byValue));
  const lettersOf = groupBy(letters, (letter) => byBody.get(letter.body));
  const leftBodies = new Set(left);
  const newest = newestApplied(applied, byValue);
  const entries = sent.map((update): Entry => {
    const own = calls.get(update) ?? [];
    const reasons = (lettersOf.get(update) ?? []).map(({ reason }) => reason);
    const gone = !leftBodies.has(update.body);
    const superseded =
      own.length === 0 &&
      reasons.length === 0 &&
      gone &&
      (update.expectedEnd === 'applied' || update.expectedEnd === 'read') &&
      isOld(update, newest);
    return { update, applied: own, letters: reasons, superseded, left: !gone };
  });
  return {
    entries,
    missing: entries.filter((entry) => !hasEnded(entry)),
    superseded: entries.filter((entry) => entry.superseded),
    appliedMoreThanOnce: entries.filter((entry) => entry.applied.length > 1),
    deadLetteredMoreThanOnce: entries.filter((entry) => entry.letters.length > 1),
    wronglyEnded: entries.filter(endedWrongly),
    strangers: letters.filter((letter) => !byBody.has(letter.body)),
    strangeCalls: applied.filter((call) => updateOf(call, byValue) === undefined),
    byReason: countReasons(entries),
  };
}

function hasEnded(entry: Entry): boolean {
  return entry.applied.length > 0 || entry.letters.length > 0 || entry.superseded;
}

/** Ends that faults can cause for any update with a call. */
const faultReasons: ReadonlySet<string | undefined> = new Set(['RetriesExhausted', 'Expiring', undefined]);

function endedWrongly({ update, applied, letters }: Entry): boolean {
  switch (update.expectedEnd) {
    case 'applied':
      return letters.some((reason) => !faultReasons.has(reason));
    case 'read':
      return letters.some((reason) => reason !== 'Invalid' && !faultReasons.has(reason));
    case 'Rejected':
      return (
        applied.length > 0 || letters.some((reason) => reason !== 'Rejected' && !faultReasons.has(reason))
      );
    case 'Invalid':
      return applied.length > 0 || letters.some((reason) => reason !== 'Invalid' && reason !== undefined);
  }
}

/** The update that a call was made for, found by any of its values, which are unique. */
export function updateOf(
  call: Pick<AppliedCall, 'fields'>,
  byValue: ReadonlyMap<string, SentUpdate>,
): SentUpdate | undefined {
  return valuesOf(call.fields)
    .map((value) => byValue.get(value))
    .find((update) => update !== undefined);
}

export function valuesOf({ Description, TaskConfigurationId }: Fields): string[] {
  return [Description, TaskConfigurationId].filter((value) => value !== undefined);
}

/** Per task and field, the place of the newest update whose value took effect. */
function newestApplied(
  applied: readonly AppliedCall[],
  byValue: ReadonlyMap<string, SentUpdate>,
): ReadonlyMap<string, number> {
  const newest = new Map<string, number>();
  for (const call of applied) {
    const place = updateOf(call, byValue)?.place ?? -1;
    for (const field of Object.keys(call.fields)) {
      const key = `${call.identifier} ${field}`;
      newest.set(key, Math.max(newest.get(key) ?? -1, place));
    }
  }
  return newest;
}

function isOld({ identifier, fields, place }: SentUpdate, newest: ReadonlyMap<string, number>): boolean {
  const names = Object.keys(fields);
  return names.length > 0 && names.every((field) => (newest.get(`${identifier} ${field}`) ?? -1) > place);
}

function countReasons(entries: readonly Entry[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { letters } of entries) {
    if (letters.length === 0) continue;
    const reason = letters[0] ?? 'without a record';
    counts[reason] = (counts[reason] ?? 0) + 1;
  }
  return counts;
}

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K | undefined): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
