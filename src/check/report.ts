/** Findings to text: for people and for scripts. */

import { counted } from '../text/numbers.ts';
import { escapeJson, printable } from '../text/printable.ts';
import type { Finding, Severity } from './finding.ts';
import { isOk } from './findings.ts';

const labels: Readonly<Record<Severity, string>> = { ok: 'ok', warning: 'warn', error: 'FAIL' };

/** Nothing in it can control a terminal. One aligned line a finding and a final line that sums them up. Ends with a newline. */
export function findingsAsText(findings: readonly Finding[]): string {
  const width = Math.max(0, ...findings.map(({ where }) => where.length));
  const lines = findings.map(({ severity, where, what, fix }) => {
    const remedy = fix === undefined ? '' : `; ${fix}`;
    return printable(`${labels[severity].padEnd(4)}  ${where.padEnd(width)}  ${what}${remedy}`);
  });
  return `${[...lines, '', summary(findings)].join('\n')}\n`;
}

/** `{ ok, findings }` as JSON. Ends with a newline. */
export function findingsAsJson(findings: readonly Finding[]): string {
  return `${escapeJson(JSON.stringify({ ok: isOk(findings), findings }, null, 2))}\n`;
}

function summary(findings: readonly Finding[]): string {
  const count = (severity: Severity): number =>
    findings.filter((finding) => finding.severity === severity).length;
  const [errors, warnings] = [count('error'), count('warning')];
  if (errors > 0) return `${counted(errors, 'error')}, ${counted(warnings, 'warning')}: not ready to run`;
  return warnings > 0
    ? `${counted(warnings, 'warning')}, no errors: ready to run`
    : 'all is well: ready to run';
}
