/** The job of the proofs: made here, and compared with what the simulated API holds in the end. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import type { Cloud } from '../../src/sandbox/cloud.ts';
import { expectedCounts, identifierOf, kindOf, lineOf, right, WANTED } from './rows.ts';

export const JOB = 'proof';

/** For the processes of a proof: runs a command of `ota-updater` to its end. */
export interface Commands {
  run(...args: readonly string[]): Promise<{ readonly stdout: string }>;
}

export type PlanCounts = Readonly<Record<string, number>>;

export interface Compared {
  /** Rows of the report. */
  readonly rows: number;
  /** Rows of the report by state, and failed ones by error. */
  readonly ends: Readonly<Record<string, number>>;
  /** Rows whose end differs from what their kind or the API requires. */
  readonly mismatches: readonly string[];
}

/** Writes the rows, and updates some tasks so that their rows change nothing. */
export async function prepare({ api }: Pick<Cloud, 'api'>, folder: string, rows: number): Promise<void> {
  const lines = Array.from({ length: rows }, (_, i) => lineOf(i + 1));
  writeFileSync(join(folder, 'rows.csv'), `Identifier,TaskConfigurationId\n${lines.join('\n')}\n`);
  for (let row = 1; row <= rows; row++) {
    if (kindOf(row) !== 'wanted') continue;
    await fetch(`${api.url}/ota-tasks/${identifierOf(row)}`, {
      method: 'PUT',
      headers: { authorization: 'AWS4-HMAC-SHA256 Credential=proof', 'content-type': 'application/json' },
      body: JSON.stringify({ TaskConfigurationId: WANTED }),
    });
  }
}

/** Makes the plan `plan.jsonl`. */
export async function makePlan(processes: Commands): Promise<PlanCounts> {
  const args = ['jobs', 'plan', 'rows.csv', '--refresh', '--job', JOB, '--out', 'plan.jsonl', '--json'];
  const { stdout } = await processes.run(...args);
  const { rows = 0, toChange = 0, alreadyAsWanted = 0, refused = 0, duplicates = 0 } = JSON.parse(stdout);
  return { rows, toChange, alreadyAsWanted, refused, duplicates };
}

/** One line for each wrong count of a plan. */
export function planFaults(plan: PlanCounts, rows: number): string[] {
  return Object.entries(expectedCounts(rows))
    .filter(([name, count]) => plan[name] !== count)
    .map(([name, count]) => `the plan counts ${plan[name]} ${name}, not ${count}`);
}

/** Reads the report of the job, and compares it row by row with the rows' kinds and the API. */
export async function compareReport(
  { api }: Pick<Cloud, 'api'>,
  processes: Commands,
  folder: string,
  rows: number,
): Promise<Compared> {
  await processes.run('jobs', 'report', JOB, '--out', 'report.csv');
  const report = readFileSync(join(folder, 'report.csv'), 'utf8');
  const records = parse(report, { columns: true }) as Record<string, string>[];
  const ends: Record<string, number> = {};
  const mismatches: string[] = [];
  for (const [i, record] of records.entries()) {
    const { Row, Identifier = '', State = '', ErrorName = '' } = record;
    const end = ErrorName === '' ? State : `${State} ${ErrorName}`;
    ends[end] = (ends[end] ?? 0) + 1;
    const holds = api.task(identifierOf(i + 1))?.TaskConfigurationId === WANTED;
    if (!right(i + 1, record, holds))
      mismatches.push(`row ${Row} ${Identifier}: ${end}, and the task ${holds ? 'is' : 'is not'} as wanted`);
  }
  if (records.length !== rows) mismatches.push(`the report has ${records.length} rows of ${rows}`);
  return { rows: records.length, ends, mismatches };
}
