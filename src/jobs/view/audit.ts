/** Changes of jobs, for people and for scripts. PURE. */
import { table } from '../../text/layout.ts';
import { counted } from '../../text/numbers.ts';
import { jsonLine, printable, shortPrintable } from '../../text/printable.ts';
import { instant } from '../../text/times.ts';
import type { AuditLine } from '../ledger/job.ts';

/** A line for each, two where a terminal of `columns` is too narrow; with a head, also when there are none. */
export function auditText(lines: readonly AuditLine[], columns: number | undefined): string {
  const rows = lines.map(({ at, who, what, subject, why, detail }) => [
    instant(at),
    shortPrintable(subject, 60),
    shortPrintable(what, 20),
    shortPrintable(who, 60),
    printable(why ?? detailText(detail)),
  ]);
  const shown = table([['WHEN (UTC)', 'OF', 'WHAT', 'WHO', 'WHY'], ...rows], columns, []);
  return `${shown.join('\n')}\n`;
}

export function auditJson({ at, who, what, subject, why, detail }: AuditLine): string {
  return jsonLine({ at: new Date(at).toISOString(), who, what, subject, why: why ?? null, detail });
}

/** What a line says of itself that is short: `from running, to paused`, `rate 5`, `46 rows`. The rest is in the JSON. Not escaped. */
export function detailText({ from, to, rows }: AuditLine['detail']): string {
  if (typeof from === 'string' && typeof to === 'string') return `from ${from}, to ${to}`;
  if (isObject(from) && isObject(to)) return changedText(from, to);
  return typeof rows === 'number' ? counted(rows, 'row') : '';
}

type Values = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function changedText(from: Values, to: Values): string {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])];
  const changed = names.filter((name) => JSON.stringify(from[name]) !== JSON.stringify(to[name]));
  return changed
    .map((name) => (name in to ? `${name} ${JSON.stringify(to[name])}` : `no ${name}`))
    .join(', ');
}
