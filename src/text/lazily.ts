/**
 * Makes something at its first use. For formats of `Intl`: to make one loads 5 MB of Node's tables of languages, and a worker uses none.
 */
export function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
