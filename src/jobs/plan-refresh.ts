/** Reads tasks before they are planned: what is so already, what is gone, and the values that a change replaces. */
import { EnqueueFailure } from '../enqueue/faults.ts';
import type { RefusedRow } from '../enqueue/validate.ts';
import type { Failure } from '../message/failure.ts';
import type { TaskGetter } from '../ota/reader.ts';
import { inOrder } from './in-order.ts';
import { decideRefreshed, type Refreshed } from './plan-decisions.ts';
import { explainRead } from './plan-sources.ts';
import type { Candidate } from './plan-staging.ts';
import type { Conditions } from './plan-where.ts';

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

/**
 * Reads the task of every item. Ends early when interrupted.
 * @throws EnqueueFailure when reading fails for so many in a row that the cause is not in the tasks.
 */
export async function* readTasks<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  identifierOf: (item: Item) => string,
  { reader, maxConcurrency, signal }: ReadTasksOptions,
): AsyncGenerator<ReadTask<Item>, undefined> {
  const read = async (item: Item): Promise<ReadTask<Item>> => ({
    item,
    answer: await reader.get(identifierOf(item)),
  });
  let run = 0;
  for await (const task of inOrder(items, maxConcurrency * AHEAD, read)) {
    if (signal.aborted) return;
    const { answer } = task;
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

export type RefreshedRow = Exclude<Refreshed, { readonly reason: string }> | RefusedRow;

/** Every candidate as GetOtaTask sees it. Throws as `readTasks` does. */
export async function* refresh(
  candidates: AsyncIterable<Candidate>,
  options: RefreshOptions,
): AsyncGenerator<RefreshedRow, undefined> {
  for await (const { item, answer } of readTasks(candidates, ({ Identifier }) => Identifier, options)) {
    const refreshed = decideRefreshed(item, answer, options.conditions);
    if (!('reason' in refreshed)) {
      yield refreshed;
      continue;
    }
    const { line, Former: _, ...raw } = item;
    yield { line, raw: JSON.stringify(raw), reason: refreshed.reason };
  }
}
