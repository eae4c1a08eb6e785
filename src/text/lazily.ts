/**
 * Creates something at its first use. For formats of `Intl`: creating one loads 5 MB of Node's language tables, and a worker uses none.
 */
export function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
