/** Work on many items at once, answers in the order of the items. */

/**
 * Starts `work` on at most `width` items at a time and yields the answers in order; takes no item before it is wanted.
 * @param work must not reject.
 */
export async function* inOrder<Item, Answer>(
  items: Iterable<Item> | AsyncIterable<Item>,
  width: number,
  work: (item: Item) => Promise<Answer>,
): AsyncGenerator<Answer, undefined> {
  const running: Promise<Answer>[] = [];
  for await (const item of items) {
    running.push(work(item));
    const first = running.length >= width ? running.shift() : undefined;
    if (first !== undefined) yield await first;
  }
  for (const answer of running) yield await answer;
}
