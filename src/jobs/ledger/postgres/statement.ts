/** Converts statements with named parameters, as SQLite takes them, for PostgreSQL, which numbers parameters. PURE. */

export type Value = string | number | null | readonly (string | number | null)[];
export type Values = Readonly<Record<string, Value>>;

interface Statement {
  readonly text: string;
  readonly names: readonly string[];
}

/** Matches `:name`, but not the cast `::type`. */
const NAMED = /(?<!:):([a-z]\w*)/gi;

/** `WHERE job = :job AND row > :after` becomes `WHERE job = $1 AND row > $2`. */
export function numbered(text: string): Statement {
  const names: string[] = [];
  const positional = text.replace(NAMED, (_, name: string) => {
    const known = names.indexOf(name);
    return `$${known >= 0 ? known + 1 : names.push(name)}`;
  });
  return { text: positional, names };
}

/** The values in the order of `names`. PostgreSQL stores neither NUL nor lone surrogates in text: they become U+FFFD. */
export function valuesOf(names: readonly string[], values: Values): Value[] {
  return names.map((name) => {
    const value = values[name];
    if (value === undefined) throw new TypeError(`the statement has no value for :${name}`);
    return typeof value === 'object' && value !== null ? value.map(storable) : storable(value);
  });
}

function storable<T extends string | number | null>(value: T): T | string {
  return typeof value === 'string' ? storedText(value) : value;
}

/** A text as the database will store it. */
export function storedText(text: string): string {
  return text.replaceAll('\0', '\ufffd').toWellFormed();
}

/**
 * Records as columns to be unnested, so that a batch of any size is one round trip.
 * @returns one array per name.
 */
export function columnsOf<const Name extends string>(
  names: readonly Name[],
  records: readonly { readonly [Each in Name]?: string | number | null | undefined }[],
): Record<Name, (string | number | null)[]> {
  const columns = names.map((name) => [name, records.map((record) => record[name] ?? null)]);
  return Object.fromEntries(columns) as Record<Name, (string | number | null)[]>;
}
