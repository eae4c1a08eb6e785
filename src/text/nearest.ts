/** The right name for a wrong one. PURE. */

/** A longer word is no slip of the keyboard, and comparing it takes long. */
const MAX_LENGTH = 200;

/**
 * The one of `names` that `wrong` was probably meant to be: the same in other letter case or with other separators, one
 * that it begins, or one that few slips of the keyboard lead to.
 * @returns undefined when nothing is near. Of two that are equally near, the first.
 */
export function nearest<Name extends string>(wrong: string, names: Iterable<Name>): Name | undefined {
  if (wrong === '' || wrong.length > MAX_LENGTH) return undefined;
  const word = bare(wrong);
  let best: { readonly name: Name; readonly slips: number } | undefined;
  for (const name of names) {
    if (name.length > MAX_LENGTH) continue;
    const right = bare(name);
    const slips = slipsBetween(word, right);
    // Two thirds must be right: of a short name, hardly anything may be wrong.
    if (slips > Math.max(word.length, right.length) / 3) continue;
    if (best === undefined || slips < best.slips) best = { name, slips };
  }
  if (best !== undefined) return best.name;
  return word.length < 3 ? undefined : [...names].find((name) => bare(name).startsWith(word));
}

/** ` Did you mean "x"?`, or nothing when nothing is near: for the end of a sentence. */
export function didYouMean(wrong: string, names: Iterable<string>): string {
  const name = nearest(wrong, names);
  return name === undefined ? '' : ` Did you mean "${name}"?`;
}

function bare(name: string): string {
  return name.toLowerCase().replace(/[\s_-]/g, '');
}

/** Letters to add, drop, replace, or swap with their neighbour (the distance of optimal string alignment). */
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
