/**
 * Reads rows of a CSV or JSON file and validates them against the contract of an update. All commands that take a file
 * begin with these rows.
 */
import { misuse } from '../errors.ts';
import { checkUpdate } from '../message/update.ts';
import { printable } from '../text/printable.ts';
import { noColumnFlags } from './columns.ts';
import { readCsvRows } from './csv-rows.ts';
import { Findings } from './findings.ts';
import { readJsonRows, textOf } from './json-rows.ts';
import type { InputRow, RefusedRow, RowFields, RowsInput, SetFields } from './row.ts';

export interface Rules {
  readonly set: SetFields;
  /** The start of the run in epoch milliseconds: the upper limit of `IssuedAt`. */
  readonly startedAt: number;
}

/**
 * Reads and validates the rows; the same input and rules always give the same rows. Rows that `--where` leaves out are
 * only counted in `findings`. Throws like `parseRows`.
 */
export async function* readRows(
  input: RowsInput,
  rules: Rules,
  findings = new Findings(),
): AsyncGenerator<InputRow, undefined> {
  for await (const row of parseRows(input, rules.set, findings))
    yield 'reason' in row ? withSet(row, rules.set) : checkRow(row, rules);
}

function withSet(row: RefusedRow, set: SetFields): RefusedRow {
  return { ...row, values: { ...row.values, ...set } };
}

/**
 * Reads row by row; blank rows are skipped.
 * @param set the fields that the run sets, which the file need not have.
 * @throws CommandError if the file as a whole is unusable: a header with unknown columns (before any row), no row at
 * all, or no row that `--where` selects (at the end).
 */
export async function* parseRows(
  input: RowsInput,
  set: SetFields = {},
  findings = new Findings(),
): AsyncGenerator<RowFields | RefusedRow, undefined> {
  const { name, format, flags = noColumnFlags } = input;
  const fields = new Set(Object.keys(set));
  let count = 0;
  for await (const row of format === 'csv'
    ? readCsvRows(input, fields, findings)
    : readJsonRows(input, findings)) {
    count++;
    yield row;
  }
  if (count > 0) return;
  if (findings.leftOut > 0) {
    const where = flags.where.map(([column, value]) => `${column}=${value}`).join(', ');
    throw misuse(
      `No row of ${printable(name)} matches --where ${printable(where)}: there is nothing to do. ` +
        `Its values are: ${findings.values}.`,
    );
  }
  const what = format === 'csv' ? 'holds a header and no rows' : 'is empty';
  throw misuse(`${printable(name)} ${what}: there is nothing to do.`);
}

export function checkRow({ line, raw, fields }: RowFields, { set, startedAt }: Rules): InputRow {
  const value = { ...fields, ...set };
  const check = checkUpdate(value, startedAt);
  if (check.ok) return { line, raw, update: check.update };
  return { line, raw, reason: check.message, values: textOf(value) };
}

/** @throws CommandError if a value to be set on every row is itself invalid. */
export function checkSetFields({ set, startedAt }: Rules): void {
  const check = checkUpdate({ Identifier: 'a', Description: 'a', ...set }, startedAt);
  if (!check.ok) throw misuse(`The value of --set is not valid: ${check.message}.`);
}
