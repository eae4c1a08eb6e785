/** Changes of jobs, for people and for scripts. PURE. */
import { table } from '../../text/layout.ts';
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

/** `from running, to paused`; not escaped. */
export function detailText(detail: AuditLine['detail']): string {
  return Object.entries(detail)
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}
