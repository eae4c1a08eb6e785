/** How a job is sent, for people. PURE. */

import { counted, number } from '../../text/numbers.ts';
import { nameInWords } from '../../text/plain-values.ts';
import { printable } from '../../text/printable.ts';
import { instant, roughDuration } from '../../text/times.ts';
import { formatAbortRule } from '../rules/abort-rules.ts';
import { amountText, formatAmount } from '../rules/amount.ts';
import { formatRamp } from '../rules/ramp.ts';
import { DEFAULT_PRIORITY, type JobSettings } from '../rules/settings.ts';
import { DEFAULT_VERIFY_WITHIN } from '../rules/stage-verdict.ts';
import { formatStages } from '../rules/stages.ts';
import { formatWindow } from '../rules/times.ts';

/** Each setting that is not the default: a name of at most 12 letters, and its meaning. */
export function settingTexts(settings: JobSettings): (readonly [name: string, text: string])[] {
  const { canary, stages, ramp, abortWhen = [], undoOnAbort, rate, priority, window } = settings;
  const { startAt, between, deadline, reportTo } = settings;
  const texts: (readonly [string, string])[] = [];
  if (canary !== undefined) {
    const single = 'rows' in canary && canary.rows === 1;
    texts.push([
      'canary',
      `${amountText(canary)} first, and the rest if ${single ? 'it does not fail' : 'none of them fails'}`,
    ]);
  }
  if (stages !== undefined) texts.push(['stages', formatStages(stages).replaceAll(',', ', ')]);
  const steps = betweenStages(settings);
  if (steps.length > 0) texts.push(['in between', steps.join(', ')]);
  if (ramp !== undefined)
    texts.push([
      'ramp',
      `${counted(ramp.from, 'row')} in flight at first, x${ramp.factor} after every ${counted(ramp.after, 'good end')}`,
    ]);
  for (const [i, rule] of abortWhen.entries())
    texts.push([i === 0 ? 'stops when' : 'or when', formatAbortRule(rule)]);
  if (undoOnAbort === true)
    texts.push(['then', "restores tasks' settings; the firmware that devices have by then stays"]);
  if (window !== undefined) texts.push(['window', `${counted(window, 'row')} in flight`]);
  if (rate !== undefined) texts.push(['rate', `${number(rate)} rows/s at most`]);
  if (priority !== undefined) texts.push(['priority', `${priority} of 9`]);
  if (startAt !== undefined) texts.push(['starts', `${instant(startAt)} UTC`]);
  if (between !== undefined) texts.push(['sends', `between ${formatWindow(between)}`]);
  if (deadline !== undefined) texts.push(['deadline', `${instant(deadline)} UTC`]);
  if (reportTo !== undefined) texts.push(['report', `filed in ${printable(reportTo)} at its end`]);
  return texts;
}

/** The same for scripts, in the form that the flags take; null for a value that is not set. */
export function settingsJson(settings: JobSettings): Readonly<Record<string, unknown>> {
  const { canary, stages, ramp, soak, abortWhen = [], between, startAt, deadline } = settings;
  return {
    canary: canary === undefined ? null : formatAmount(canary),
    stages: stages === undefined ? null : formatStages(stages),
    ramp: ramp === undefined ? null : formatRamp(ramp),
    soakSeconds: soak ?? null,
    verifyEach: settings.verifyEach ?? false,
    verifyWithinSeconds: settings.verifyWithin ?? null,
    confirmEach: settings.confirmEach ?? false,
    abortWhen: abortWhen.map(formatAbortRule),
    undoOnAbort: settings.undoOnAbort ?? false,
    window: settings.window ?? null,
    rate: settings.rate ?? null,
    priority: settings.priority ?? DEFAULT_PRIORITY,
    startAt: startAt === undefined ? null : new Date(startAt).toISOString(),
    between: between === undefined ? null : `${between.from}-${between.to}`,
    tz: between?.tz ?? null,
    deadline: deadline === undefined ? null : new Date(deadline).toISOString(),
    reportTo: settings.reportTo ?? null,
  };
}

function betweenStages({ soak, verifyEach, verifyWithin, confirmEach }: JobSettings): string[] {
  return [
    ...(soak === undefined ? [] : [`waits ${roughDuration(soak)}`]),
    ...(verifyEach === true
      ? [`looks at its devices, for ${roughDuration(verifyWithin ?? DEFAULT_VERIFY_WITHIN)} at most`]
      : []),
    ...(confirmEach === true ? ['waits for confirmation'] : []),
  ];
}

/** `rate 50 → 20, window none → 500`: the settings that differ, named like the flags that set them. Not escaped. */
export function changedSettings(from: JobSettings, to: JobSettings): string {
  const [before, after] = [plainSettings(from), plainSettings(to)];
  return Object.keys(after)
    .filter((name) => before[name] !== after[name])
    .map((name) => `${nameInWords(name)} ${before[name]} → ${after[name]}`)
    .join(', ');
}

function plainSettings(settings: JobSettings): Readonly<Record<string, string>> {
  const { soakSeconds: _, verifyWithinSeconds: __, tz: ___, ...values } = settingsJson(settings);
  const { soak, verifyWithin, between, startAt, deadline } = settings;
  const all = {
    ...values,
    soak: soak === undefined ? null : roughDuration(soak),
    verifyWithin: verifyWithin === undefined ? null : roughDuration(verifyWithin),
    between: between === undefined ? null : formatWindow(between),
    startAt: startAt === undefined ? null : `${instant(startAt)} UTC`,
    deadline: deadline === undefined ? null : `${instant(deadline)} UTC`,
  };
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, plainSetting(value)]));
}

function plainSetting(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(' and ');
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (value === null) return 'none';
  return typeof value === 'number' ? number(value) : String(value);
}
