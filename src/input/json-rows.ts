/** Rows of JSON: one object each, on separate lines or in an array. */
import { misuse } from '../errors.ts';
import { printable, shortPrintable } from '../text/printable.ts';
import { shellLine } from '../text/shell.ts';
import { Columns, compared, type Field, nearestField, noColumnFlags } from './columns.ts';
import { tooLong } from './csv.ts';
import type { Findings } from './findings.ts';
import { type JsonItem, readJsonArray } from './json-array.ts';
import { readLines } from './lines.ts';
import { isReport } from './own-columns.ts';
import type { RefusedRow, RowFields, RowsInput } from './row.ts';
import { type Encoding, readText } from './text.ts';

/** @throws CommandError for an array that is truncated or broken, and for a plan. */
export async function* readJsonRows(
  { name, format, chunks, flags = noColumnFlags }: RowsInput,
  findings: Findings,
): AsyncGenerator<RowFields | RefusedRow, undefined> {
  const onEncoding = (encoding: Encoding): void => {
    findings.encoding = encoding;
  };
  const items =
    format === 'json' ? readJsonArray(readText(chunks, onEncoding), name) : lineItems(chunks, onEncoding);
  const columns = new Columns(flags);
  for await (const item of items) {
    const { line, raw } = item;
    const value = parseObject(item);
    if ('reason' in value) yield { line, raw, reason: value.reason };
    else if (line === 1 && Object.hasOwn(value.object, 'Plan')) {
      throw misuse(
        `${printable(name)} is the plan of a job, not a file of updates: apply it with \`jobs apply\`.`,
      );
    } else {
      const row = toRow(value.object, item, columns, findings);
      if (row === undefined) findings.leftOut++;
      else yield row;
    }
  }
}

async function* lineItems(
  chunks: AsyncIterable<Uint8Array>,
  onEncoding: (encoding: Encoding) => void,
): AsyncGenerator<JsonItem, undefined> {
  for await (const { number: line, text: raw, cut } of readLines(chunks, onEncoding))
    if (raw.trim() !== '') yield { line, raw, cut };
}

function parseObject({ raw, cut }: JsonItem): { object: Record<string, unknown> } | { reason: string } {
  if (cut) return { reason: tooLong };
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch (error) {
    return { reason: `not JSON: ${error instanceof Error ? error.message : 'it cannot be parsed'}` };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { reason: 'not a JSON object' };
  return { object: value as Record<string, unknown> };
}

/**
 * `null` counts as an empty cell: an absent field.
 * @returns undefined for a row that `--where` leaves out.
 */
function toRow(
  object: Record<string, unknown>,
  { line, raw }: JsonItem,
  columns: Columns,
  findings: Findings,
): RowFields | RefusedRow | undefined {
  const fields: Partial<Record<Field, unknown>> = {};
  const from = new Map<Field, string>();
  const faults: string[] = [];
  const missing = new Set(columns.conditions.keys());
  let asked = true;
  for (const [key, value] of Object.entries(object)) {
    const { field, kind, name, wanted } = columns.of(key);
    if (wanted !== undefined) {
      missing.delete(compared(key));
      const text = value === null ? '' : String(value);
      findings.saw(name, text);
      if (!wanted.has(text)) asked = false;
    }
    if (field !== undefined) {
      const twice = from.get(field);
      if (twice !== undefined)
        faults.push(`"${shortPrintable(twice)}" and "${shortPrintable(key)}" are both ${field}`);
      from.set(field, key);
      if (value !== null) fields[field] = value;
    } else if (kind !== 'left-out') faults.push(unknownField(key));
  }
  findings.report ||= isReport(Object.keys(object));
  for (const name of missing) {
    findings.saw(name, '');
    if (columns.conditions.get(name)?.has('') !== true) asked = false;
  }
  if (!asked) return undefined;
  if (faults.length === 0) return { line, raw, fields };
  return { line, raw, reason: faults.slice(0, MAX_FAULTS).join('; '), values: textOf(fields) };
}

/** Limit: an object can have thousands of unknown fields, but a reason names only the first. */
const MAX_FAULTS = 5;

function unknownField(key: string): string {
  const shown = key.slice(0, 80);
  const field = nearestField(key);
  const flag = field === undefined ? ['--ignore-column', shown] : ['--column', `${shown}=${field}`];
  const near = field === undefined ? 'to leave it out' : `did you mean ${field}? Then`;
  return `unknown field ${JSON.stringify(shown)} (${near} add: ${shellLine(flag)})`;
}

/** Only the fields with a text; a number counts as text, unless JavaScript has rounded it. */
export function textOf(fields: Readonly<Partial<Record<Field, unknown>>>): Partial<Record<Field, string>> {
  const texts: Partial<Record<Field, string>> = {};
  for (const [field, value] of Object.entries(fields))
    if (typeof value === 'string' || Number.isSafeInteger(value)) texts[field as Field] = String(value);
  return texts;
}
