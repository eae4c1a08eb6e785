/** Reads tasks before they are planned: what is so already, what is gone, and the values that a change replaces. */
import { EnqueueFailure } from '../../input/faults.ts';
import type { RefusedRow } from '../../input/validate.ts';
import type { Failure } from '../../message/failure.ts';
import type { TaskGetter } from '../../ota/reader.ts';
import { inOrder } from '../run/in-order.ts';
import { decideRefreshed, type Refreshed } from './decisions.ts';
import { explainRead } from './sources.ts';
import type { LeftOut, StagedRow } from './staging.ts';
import type { Conditions } from './where.ts';

/** So many in a row that cannot be read: then the cause is not in the tasks. */
const UNREADABLE_RUN = 20;

/** Rows held for the answers before theirs, per read under way. */
const AHEAD = 4;

export interface ReadTasksOptions {
  readonly reader: TaskGetter;
  readonly maxConcurrency: number;
  readonly signal: AbortSignal;
}

/** What was read for each item, in order. */
export interface ReadTask<Item> {
  readonly item: Item;
  readonly answer: Awaited<ReturnType<TaskGetter['get']>>;
}

/** The same, of an item that has no task to read. */
export interface PassedBy<Item> {
  readonly item: Item;
  readonly answer: undefined;
}

/**
 * Reads the task of every item. Ends early when interrupted.
 * @throws EnqueueFailure when reading fails for so many in a row that the cause is not in the tasks.
 */
export async function* readTasks<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  identifierOf: (item: Item) => string,
  options: ReadTasksOptions,
): AsyncGenerator<ReadTask<Item>, undefined> {
  for await (const task of readSome(items, identifierOf, options)) if (task.answer !== undefined) yield task;
}

/** The same, but for items that `identifierOf` has no Identifier for: they pass by in their place. */
export async function* readSome<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  identifierOf: (item: Item) => string | undefined,
  { reader, maxConcurrency, signal }: ReadTasksOptions,
): AsyncGenerator<ReadTask<Item> | PassedBy<Item>, undefined> {
  const read = async (item: Item): Promise<ReadTask<Item> | PassedBy<Item>> => {
    const identifier = identifierOf(item);
    return { item, answer: identifier === undefined ? undefined : await reader.get(identifier) };
  };
  let run = 0;
  for await (const task of inOrder(items, maxConcurrency * AHEAD, read)) {
    if (signal.aborted) return;
    const { answer } = task;
    if (answer === undefined) {
      yield task;
      continue;
    }
    run = answer.ok || answer.failure.kind === 'rejected' ? 0 : run + 1;
    if (!answer.ok && run >= UNREADABLE_RUN) throw unreadable(answer.failure);
    yield task;
  }
}

function unreadable(failure: Failure): EnqueueFailure {
  return new EnqueueFailure(`${explainRead('GetOtaTask', failure)}, ${UNREADABLE_RUN} times in a row.`);
}

export interface RefreshOptions extends ReadTasksOptions {
  /** Of live tasks, which may have changed since they were listed. */
  readonly conditions: Conditions | undefined;
}

export type RefreshedRow =
  | Exclude<Refreshed, { readonly reason: string }>
  /** Left out before it was read. */
  | LeftOut
  /** Refused by what was read. */
  | RefusedRow;

/** Every candidate as GetOtaTask sees it, and all other rows as they are. Throws as `readTasks` does. */
export async function* refresh(
  rows: AsyncIterable<StagedRow>,
  options: RefreshOptions,
): AsyncGenerator<RefreshedRow, undefined> {
  const identifierOf = (row: StagedRow): string | undefined =>
    'leftOut' in row ? undefined : row.Identifier;
  for await (const { item, answer } of readSome(rows, identifierOf, options)) {
    if ('leftOut' in item) {
      yield item;
      continue;
    }
    if (answer === undefined) continue;
    const refreshed = decideRefreshed(item, answer, options.conditions);
    if (!('reason' in refreshed)) {
      yield refreshed;
      continue;
    }
    const { line, Former: _, ...raw } = item;
    yield { line, raw: JSON.stringify(raw), reason: refreshed.reason, identifier: item.Identifier };
  }
}
