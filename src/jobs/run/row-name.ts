/** A row's name on the wire: the RequestId of its update. */

/** `r000017.1`: row 17, first try. The try is part of it, so that a late outcome of an earlier one is told apart. */
export function rowName(row: number, attempt: number): string {
  return `r${String(row).padStart(6, '0')}.${attempt}`;
}

/** The row and its try, or undefined when `name` is none that {@link rowName} makes. */
export function parseRowName(name: string): { readonly row: number; readonly try: number } | undefined {
  const match = /^r(\d{6,12})\.([1-9]\d{0,8})$/.exec(name);
  if (match === null) return undefined;
  const [row, attempt] = [Number(match[1]), Number(match[2])];
  return row > 0 && rowName(row, attempt) === name ? { row, try: attempt } : undefined;
}
