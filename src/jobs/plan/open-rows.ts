/** Opens the rows that a plan is made from: those of a file, or the live tasks. */
import { dirname, join } from 'node:path';
import { Findings } from '../../input/findings.ts';
import type { Rules } from '../../input/rows.ts';
import { openSource } from '../../input/source.ts';
import { describeTasks } from './conditions.ts';
import type { PlanContext, PlanOptions } from './options.ts';
import { fileRows, liveTasks, type SourceRow } from './sources.ts';

export interface OpenedRows {
  readonly name: string;
  /** The default file for refused rows. */
  readonly refusedPath: string;
  readonly rows: AsyncIterable<SourceRow>;
  /** Notes for the user who gave the file, one sentence each; complete once the rows were read. */
  readonly notes: () => readonly string[];
  /** What was detected about the file. */
  readonly findings: Findings;
  /**
   * Number of live tasks looked at, including those that meet no condition; once all are listed. Undefined for
   * a file.
   */
  readonly listed: () => number | undefined;
  readonly close: () => Promise<void>;
}

/** @throws CommandError if the file cannot be read. */
export async function openRows(
  options: PlanOptions,
  context: PlanContext,
  rules: Rules,
): Promise<OpenedRows> {
  const { from } = options;
  const { progress, reader } = context;
  if ('conditions' in from) {
    let listed = 0;
    progress.stage('listed');
    const onListed = (count: number): void => {
      listed = count;
      progress.update(count);
    };
    const { conditions } = from;
    return {
      name: describeTasks(conditions),
      refusedPath: join(dirname(options.out), `${options.jobId}.refused.csv`),
      rows: liveTasks({ reader, conditions, rules, onListed }),
      notes: () => [],
      findings: new Findings(),
      listed: () => listed,
      close: async () => {},
    };
  }
  const source = await openSource(from.file, { ...context, ...from });
  progress.stage('reading   ', source.bytes, 'byte');
  const { columns } = from;
  const findings = new Findings();
  const unused: string[] = [];
  let bytes = 0;
  const onBytes = (count: number): void => {
    bytes += count;
    progress.update(bytes);
  };
  return {
    name: source.name,
    refusedPath: source.refusedPath,
    rows: fileRows({ source, columns, findings, rules, onBytes, onUnused: (field) => unused.push(field) }),
    findings,
    notes: () => [
      ...findings.notes(source.name, columns),
      ...unused.map((field) => `${field} in ${source.name} is not used: a job gives its own`),
    ],
    listed: () => undefined,
    close: () => source.close(),
  };
}
