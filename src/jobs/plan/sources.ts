/** The sources of a plan's rows: a file, or the live service. */
import { CommandError } from '../../errors.ts';
import type { ColumnFlags } from '../../input/columns.ts';
import type { Findings } from '../../input/findings.ts';
import type { InputRow } from '../../input/row.ts';
import { checkRow, type Rules, readRows } from '../../input/rows.ts';
import type { Source } from '../../input/source.ts';
import { explainRead } from '../../message/explain-read.ts';
import type { OtaTask } from '../../ota/answers.ts';
import type { OtaReader } from '../../ota/reader.ts';
import { printableJson } from '../../text/printable.ts';
import { type Conditions, unmet } from './conditions.ts';
import { changeOf, formerOf } from './decisions.ts';
import type { PlanRow } from './format.ts';

/** An input row. For a live task it has what the list returned: configuration and status, but no description. */
export type SourceRow = InputRow & { readonly listed?: Pick<OtaTask, 'TaskConfigurationId' | 'Status'> };

/** Fields of an update that the job sets itself. */
const jobFields = ['JobId', 'RequestId', 'IssuedAt'] as const;

export interface FileRowsOptions {
  readonly source: Source;
  readonly columns: ColumnFlags;
  readonly findings: Findings;
  readonly rules: Rules;
  readonly onBytes: (count: number) => void;
  /** Called once for each field that the file has but a job does not use. */
  readonly onUnused: (field: string) => void;
}

/** The rows of a file, checked. */
export async function* fileRows(options: FileRowsOptions): AsyncGenerator<SourceRow, undefined> {
  const { source, columns: flags, findings, rules, onBytes, onUnused } = options;
  const unused = new Set<string>();
  for await (const row of readRows({ ...source, flags, chunks: source.chunks(onBytes) }, rules, findings)) {
    for (const field of jobFields) {
      if ('reason' in row || unused.has(field) || row.update[field] === undefined) continue;
      // In a report, these are names of rows in the reported job.
      if (findings.report) continue;
      unused.add(field);
      onUnused(field);
    }
    yield row;
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
 * The live tasks that meet the conditions, checked. A row's line is the task's place in the list.
 * @throws CommandError if the list cannot be read to its end: otherwise a plan of half the tasks would look complete.
 */
export async function* liveTasks(options: LiveTasksOptions): AsyncGenerator<SourceRow, undefined> {
  const { reader, conditions, rules, onListed } = options;
  let line = 0;
  let token: string | undefined;
  do {
    const answer = await reader.list(token);
    if (!answer.ok) throw new CommandError(`${explainRead('ListOtaTasks', answer.failure)}.`);
    const { tasks, nextToken } = answer.value;
    for (const task of tasks) {
      line++;
      if (unmet(task, conditions) === undefined) yield { ...checkTask(task, line, rules), listed: task };
    }
    onListed(line);
    if (nextToken !== undefined && nextToken === token) {
      throw new CommandError('ListOtaTasks answers the same page again and again.');
    }
    token = nextToken;
  } while (token !== undefined);
}

function checkTask(task: OtaTask, line: number, rules: Rules): InputRow {
  const fields = task.TaskId === undefined ? {} : { Identifier: task.TaskId };
  return checkRow({ line, raw: printableJson(task), fields }, rules);
}

/** Converts an input row to a row of the plan. */
export function toPlanRow(input: SourceRow, Row: number): PlanRow {
  if ('reason' in input) {
    const { reason: Reason, values = {} } = input;
    const { Identifier } = values;
    return {
      Row,
      LeftOut: 'refused',
      ...(Identifier !== undefined && { Identifier }),
      ...changeOf(values),
      Reason,
    };
  }
  const { update, listed } = input;
  const { TaskConfigurationId } = update;
  const known = listed !== undefined && TaskConfigurationId !== undefined;
  return {
    Row,
    Identifier: update.Identifier,
    ...changeOf(update),
    ...(known && { Former: formerOf({ TaskConfigurationId }, listed) }),
  };
}
