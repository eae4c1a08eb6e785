/** Where the rows of a plan come from: a file, or the live service. */
import { EnqueueFailure } from '../../input/faults.ts';
import { type Row, readRows } from '../../input/rows.ts';
import type { Source } from '../../input/source.ts';
import { checkRow, type RefusedRow, type Rules } from '../../input/validate.ts';
import type { Failure } from '../../message/failure.ts';
import type { OtaReader, OtaTask } from '../../ota/reader.ts';
import { printable, printableJson } from '../../text/printable.ts';
import { changeOf, formerOf } from './decisions.ts';
import type { Candidate } from './staging.ts';
import type { TaskChange } from './types.ts';
import { type Conditions, unmet } from './where.ts';

export type SourceRow = Candidate | RefusedRow;

/** Fields of an update that a job gives itself. */
const jobFields = ['JobId', 'RequestId', 'IssuedAt'] as const;

export interface FileRowsOptions {
  readonly source: Source;
  readonly rules: Rules;
  readonly onBytes: (count: number) => void;
  /** A field that the file has and a job does not use; told once. */
  readonly onUnused: (field: string) => void;
}

/** The rows of a file, checked. */
export async function* fileRows(options: FileRowsOptions): AsyncGenerator<SourceRow, undefined> {
  const { source, rules, onBytes, onUnused } = options;
  const unused = new Set<string>();
  for await (const row of readRows({ ...source, chunks: source.chunks(onBytes) })) {
    for (const field of jobFields) {
      if (!('fields' in row) || unused.has(field) || !Object.hasOwn(row.fields, field)) continue;
      unused.add(field);
      onUnused(field);
    }
    yield toSourceRow(row, rules, undefined);
  }
}

export interface LiveTasksOptions {
  readonly reader: Pick<OtaReader, 'list'>;
  readonly conditions: Conditions;
  readonly rules: Rules;
  /** Called after each page with the number of tasks so far. */
  readonly onListed: (count: number) => void;
}

/**
 * The live tasks that meet the conditions, checked; a row's line is its place in the list.
 * @throws EnqueueFailure when the list cannot be read to its end: a plan of half of the tasks would pass for whole.
 */
export async function* liveTasks(options: LiveTasksOptions): AsyncGenerator<SourceRow, undefined> {
  const { reader, conditions, rules, onListed } = options;
  let line = 0;
  let token: string | undefined;
  do {
    const answer = await reader.list(token);
    if (!answer.ok) throw new EnqueueFailure(`${explainRead('ListOtaTasks', answer.failure)}.`);
    const { tasks, nextToken } = answer.value;
    for (const task of tasks) {
      line++;
      if (unmet(task, conditions) === undefined) yield toSourceRow(taskRow(task, line), rules, task);
    }
    onListed(line);
    if (nextToken !== undefined && nextToken === token) {
      throw new EnqueueFailure('ListOtaTasks answers the same page again and again.');
    }
    token = nextToken;
  } while (token !== undefined);
}

function taskRow(task: OtaTask, line: number): Row {
  const fields = task.TaskId === undefined ? {} : { Identifier: task.TaskId };
  return { line, raw: printableJson(task), fields };
}

/** @param listed what a list said of the task: its configuration, and no description. */
function toSourceRow(row: Row, rules: Rules, listed: TaskChange | undefined): SourceRow {
  const checked = checkRow(row, rules);
  if (!('update' in checked)) return checked;
  const { line, update } = checked;
  const change = changeOf(update);
  const { TaskConfigurationId } = change;
  const known = listed !== undefined && TaskConfigurationId !== undefined;
  return {
    line,
    Identifier: update.Identifier,
    ...change,
    ...(known && { Former: formerOf({ TaskConfigurationId }, listed) }),
  };
}

/** One sentence, without its full stop, that says why a read failed and how to mend it. */
export function explainRead(operation: 'GetOtaTask' | 'ListOtaTasks', failure: Failure): string {
  const { kind, name, message, status } = failure;
  const said = `${printable(name)}: ${printable(message)}`;
  switch (kind) {
    case 'denied':
      return `${operation} is denied: the credentials need iotmanagedintegrations:${operation} (${said})`;
    case 'misconfigured':
      return `AWS does not accept the credentials or the set-up; \`ota-updater check\` looks at them (${said})`;
    case 'internal':
      if (message.includes('Region is missing')) return 'no AWS region is set: set AWS_REGION';
      return `${operation} failed (${said})`;
    default:
      return status === undefined
        ? `the API cannot be reached for ${operation} (${said})`
        : `the API answered ${operation} with ${status} (${said})`;
  }
}
