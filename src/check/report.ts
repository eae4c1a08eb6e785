/** Formats findings as text, for people and for scripts. */

import { NARROW, widthOf, wrap } from '../text/layout.ts';
import { counted } from '../text/numbers.ts';
import { escapeJson, printable } from '../text/printable.ts';
import type { Finding, Severity } from './finding.ts';
import { isOk } from './findings.ts';
import type { EffectiveSetting } from './settings.ts';

/** In the order of the report: what needs action comes last, at the bottom of a terminal. */
const labels: Readonly<Record<Severity, string>> = {
  ok: 'ok',
  unchecked: '--',
  warning: 'warn',
  error: 'FAIL',
};

/** Longer names do not move the text of the others to the right. */
const WIDEST_NAME = 22;
const WIDEST_SETTING = 26;

/**
 * The settings, each finding on aligned lines, and a final line that sums them up. Nothing in it can control a terminal. Ends
 * with a newline.
 * @param columns of the terminal; undefined if there is none.
 */
export function checkAsText(
  settings: readonly EffectiveSetting[],
  findings: readonly Finding[],
  columns?: number,
): string {
  const room = widthOf(columns);
  const narrow = room < NARROW;
  const width = Math.max(0, ...findings.map(({ where }) => Math.min(where.length, WIDEST_NAME)));
  const lines = (severity: Severity): string[] =>
    findings
      .filter((finding) => finding.severity === severity)
      .map(({ where, what, fix }) => {
        const remedy = fix === undefined ? '' : `; ${fix}`;
        const name = printable(where);
        const text = wrap(printable(`${what}${remedy}`), ' '.repeat(narrow ? 6 : width + 8), 'whole', room);
        const start = `${labels[severity].padEnd(4)}  ${name.padEnd(width)}`;
        return narrow || name.length > width
          ? `${start.trimEnd()}\n${text}`
          : start + text.slice(start.length);
      });
  const unchecked = lines('unchecked');
  return `${[
    ...settingLines(settings),
    'Checked',
    '',
    ...lines('ok'),
    ...(unchecked.length === 0 ? [] : ['', 'Not checked', '', ...unchecked]),
    ...(findings.some(isFault) ? ['', 'Found', ''] : []),
    ...lines('warning'),
    ...lines('error'),
    '',
    wrap(summary(findings), '', 'broken', room),
  ].join('\n')}\n`;
}

/** `{ ok, findings, settings }` as JSON. Ends with a newline. */
export function checkAsJson(settings: readonly EffectiveSetting[], findings: readonly Finding[]): string {
  return `${escapeJson(JSON.stringify({ ok: isOk(findings), findings, settings }, null, 2))}\n`;
}

function isFault({ severity }: Finding): boolean {
  return severity === 'warning' || severity === 'error';
}

function settingLines(settings: readonly EffectiveSetting[]): string[] {
  const width = Math.max(0, ...settings.map(({ name }) => Math.min(name.length, WIDEST_SETTING)));
  // One line each, without wrapping, so that a value can be copied.
  const lines = settings.map(({ name, value, set }) => {
    const origin = set || value === null ? '' : '  (default)';
    return printable(`  ${name.padEnd(width)}  ${value ?? 'not set'}${origin}`);
  });
  return ['Settings', '', ...lines, ''];
}

function summary(findings: readonly Finding[]): string {
  const count = (severity: Severity): number =>
    findings.filter((finding) => finding.severity === severity).length;
  const [errors, warnings, unchecked] = [count('error'), count('warning'), count('unchecked')];
  if (errors > 0) return `${counted(errors, 'error')}, ${counted(warnings, 'warning')}: not ready to run`;
  const found = warnings > 0 ? `${counted(warnings, 'warning')}, no errors` : 'no errors, no warnings';
  if (unchecked === 0) return `${found}: ready to run`;
  const rest = `${counted(unchecked, 'thing')} that a worker needs ${unchecked === 1 ? 'was' : 'were'} not checked`;
  return `${found} in what was checked; ${rest}, see above`;
}
