/** Reads the live tasks of many rows in parallel, and gives the answers in the order of the rows. */
import { CommandError } from '../../errors.ts';
import { explainRead } from '../../message/explain-read.ts';
import type { OtaTask } from '../../ota/answers.ts';
import type { ReadAnswer, TaskGetter } from '../../ota/reader.ts';
import { counted } from '../../text/numbers.ts';
import { roughDuration } from '../../text/times.ts';

/** If this many in a row cannot be read, the cause is not in the tasks. */
const UNREADABLE_RUN = 20;

/** Items that may wait for earlier answers, per read in flight. */
const AHEAD = 4;

export interface ReadTasksOptions {
  readonly reader: TaskGetter;
  readonly maxConcurrency: number;
  readonly signal: AbortSignal;
}

export interface TaskRead<Item> {
  readonly item: Item;
  /** undefined: its task did not have to be read. */
  readonly answer: ReadAnswer<OtaTask> | undefined;
}

/**
 * Reads the task of every item for which `identifierOf` gives an Identifier. Ends early if interrupted.
 * @throws CommandError if so many reads in a row fail that the cause is not in the tasks.
 */
export async function* readTasks<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  identifierOf: (item: Item) => string | undefined,
  { reader, maxConcurrency, signal }: ReadTasksOptions,
): AsyncGenerator<TaskRead<Item>, undefined> {
  const read = async (item: Item): Promise<TaskRead<Item>> => {
    const identifier = identifierOf(item);
    return { item, answer: identifier === undefined ? undefined : await reader.get(identifier) };
  };
  let run = 0;
  for await (const task of inOrder(items, maxConcurrency * AHEAD, read)) {
    if (signal.aborted) return;
    const { answer } = task;
    if (answer !== undefined) {
      run = answer.ok || answer.failure.kind === 'rejected' ? 0 : run + 1;
      if (!answer.ok && run >= UNREADABLE_RUN) {
        throw new CommandError(
          `${UNREADABLE_RUN} tasks in a row could not be read: ${explainRead('GetOtaTask', answer.failure)}.`,
        );
      }
    }
    yield task;
  }
}

/**
 * What it costs to read this many tasks, in calls and in time.
 * @param rateLimit calls per second; `Infinity` for no limit.
 */
export function costOfReading(tasks: number, rateLimit: number): string {
  const calls = counted(tasks, 'call of GetOtaTask', 'calls of GetOtaTask');
  if (!Number.isFinite(rateLimit)) return calls;
  return `${calls}, about ${roughDuration(tasks / rateLimit)} at RATE_LIMIT=${rateLimit}`;
}

/**
 * Runs `work` on at most `width` items at a time and yields the answers in order. Takes no item before it is needed.
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
