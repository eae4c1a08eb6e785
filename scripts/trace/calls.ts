/** Calls per function, and what several counts of them have in common. PURE. */

/** Calls by function, keyed `file name:line`. */
export type Calls = ReadonlyMap<string, number>;

/** What happened in every round, with the count of the round where it happened least. */
export function least(rounds: readonly Calls[]): Calls {
  const [first = new Map<string, number>(), ...others] = rounds;
  return positive(
    [...first].map(([key, count]) => [key, Math.min(count, ...others.map((calls) => calls.get(key) ?? 0))]),
  );
}

export function subtract(calls: Calls, idle: Calls): Calls {
  return positive([...calls].map(([key, count]) => [key, count - (idle.get(key) ?? 0)]));
}

export function total(calls: Calls): number {
  return [...calls.values()].reduce((sum, count) => sum + count, 0);
}

function positive(entries: readonly (readonly [string, number])[]): Calls {
  return new Map(entries.filter(([, count]) => count > 0));
}
