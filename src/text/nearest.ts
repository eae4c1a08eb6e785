/** The valid name closest to an invalid one. PURE. */

/** A longer word is not a typing error, and comparing it takes long. */
const MAX_LENGTH = 200;

/**
 * The one of `names` that `wrong` was probably meant to be: equal except for letter case or separators, one
 * that begins with it, or one that differs by few typing errors.
 * @returns undefined if no name is close. Of two equally close names, the first.
 */
export function nearest<Name extends string>(wrong: string, names: Iterable<Name>): Name | undefined {
  if (wrong === '' || wrong.length > MAX_LENGTH) return undefined;
  const word = bare(wrong);
  let best: { readonly name: Name; readonly slips: number } | undefined;
  for (const name of names) {
    if (name.length > MAX_LENGTH) continue;
    const right = bare(name);
    const slips = slipsBetween(word, right);
    // Two thirds must be right: a short name allows hardly any error.
    if (slips > Math.max(word.length, right.length) / 3) continue;
    if (best === undefined || slips < best.slips) best = { name, slips };
  }
  if (best !== undefined) return best.name;
  return word.length < 3 ? undefined : [...names].find((name) => bare(name).startsWith(word));
}

/** ` Did you mean "x"?`, or nothing if no name is close: for the end of a sentence. */
export function didYouMean(wrong: string, names: Iterable<string>): string {
  const name = nearest(wrong, names);
  return name === undefined ? '' : ` Did you mean "${name}"?`;
}

function bare(name: string): string {
  return name.toLowerCase().replace(/[\s_-]/g, '');
}

/** Letters to add, drop, replace, or swap with their neighbour (optimal string alignment distance). */
function slipsBetween(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number): number => rows[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      row[j] = Math.min(at(i - 1, j) + 1, (row[j - 1] ?? 0) + 1, at(i - 1, j - 1) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j] ?? 0, at(i - 2, j - 2) + 1);
    }
  }
  return at(a.length, b.length);
}
