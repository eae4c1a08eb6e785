/** The audit lines of jobs, for people and for scripts. PURE. */
import { table } from '../../text/layout.ts';
import { counted } from '../../text/numbers.ts';
import { isValues, plainValues } from '../../text/plain-values.ts';
import { jsonLine, printable, shortPrintable } from '../../text/printable.ts';
import { instant } from '../../text/times.ts';
import type { AuditLine } from '../ledger/job.ts';
import { type JobEvent, transitions } from '../ledger/state.ts';
import { readSettings } from '../rules/settings.ts';
import { changedSettings } from './settings-text.ts';

/**
 * One line each, or two if a terminal of `columns` is too narrow; with a header, even if there are no lines.
 */
export function auditText(lines: readonly AuditLine[], columns: number | undefined): string {
  const rows = lines.map((line) => [
    instant(line.at),
    shortPrintable(line.subject, 60),
    shortPrintable(line.what, 20),
    shortPrintable(line.who, 60),
    printable(changeText(line)),
    printable(whyText(line)),
  ]);
  const shown = table([['WHEN (UTC)', 'OF', 'WHAT', 'WHO', 'CHANGE', 'WHY'], ...rows], columns, []);
  return `${shown.join('\n')}\n`;
}

export function auditJson({ at, who, what, subject, why, detail }: AuditLine): string {
  return jsonLine({ at: new Date(at).toISOString(), who, what, subject, why: why ?? null, detail });
}

/** Events for which nobody gives a reason, since the event itself is the reason. */
const reasons: readonly JobEvent[] = ['due', 'settle', 'finish'];

/** Why the change was made; empty if nobody gave a reason. Not escaped. */
export function whyText({ what, why }: Pick<AuditLine, 'what' | 'why'>): string {
  if (why !== undefined) return why;
  const event = reasons.find((one) => one === what);
  return event === undefined ? '' : transitions[event].text;
}

/** What was changed, old and new: `running → paused`, `rate 50 → 20`, `46 rows`. Not escaped. */
export function changeText({ detail }: Pick<AuditLine, 'detail'>): string {
  const { from, to, rows, path, source = path, digest: _, found: __, look: ___, ...rest } = detail;
  if (typeof from === 'string' && typeof to === 'string') return `${from} → ${to}`;
  if (isValues(from) && isValues(to)) {
    const [before, after] = [readSettings(from), readSettings(to)];
    return before === undefined || after === undefined ? '' : changedSettings(before, after);
  }
  const parts = [
    typeof rows === 'number' ? counted(rows, 'row') : '',
    typeof source === 'string' ? `from ${source}` : '',
    plainValues(rest),
  ];
  return parts.filter((part) => part !== '').join(', ');
}
