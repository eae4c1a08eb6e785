/** The result of a verification, for people and for scripts. Nothing in the texts can control a terminal. PURE. */
import { deviceEnds, deviceStates, underWay } from '../../message/devices.ts';
import { countLine, hang, widthOf } from '../../text/layout.ts';
import { counted, number } from '../../text/numbers.ts';
import { jsonLine, printable, shortPrintable } from '../../text/printable.ts';
import type { CommandLine } from '../../text/shell.ts';
import { instant } from '../../text/times.ts';
import type { Ends } from '../rules/abort-rules.ts';
import type { ChangedTask, JudgedVerification, Verification } from './sum.ts';

/** Maximum length of quoted values. */
const MAX_VALUE = 60;

/** @param columns the terminal's width; undefined without a terminal. */
export function verificationText(
  jobId: string,
  found: Verification,
  commandLine: CommandLine,
  columns?: number,
): string {
  const width = widthOf(columns);
  const line = (name: string, count: number, note = ''): string => countLine(name, count, note, columns);
  const listed = (text: string): string => hang(' '.repeat(15), text, width);
  const { devices, worst, failedDevices, notHolding, someNotHolding, gone, unread } = found;
  const ends = deviceEnds(devices);
  const all = deviceStates.reduce((sum, state) => sum + devices[state], 0);
  const lines = [
    `job ${printable(jobId)}: ${counted(found.tasks, 'task')} read at ${instant(found.at)} UTC${found.whole ? '' : ', not all'}`,
    line('devices', all, all === 0 ? 'the API names none' : ''),
    ...deviceStates
      .filter((state) => devices[state] > 0)
      .map((state) => `${number(devices[state]).padStart(13)}  ${state}`),
  ];
  if (ends.ended > 0) lines.push(line('failed', ends.failed, `${shareOf(ends)} of those that have ended`));
  if (worst.length > 0) lines.push('  fail most');
  for (const task of worst)
    lines.push(
      listed(
        `${printable(task.identifier)}: ${number(task.failed)} of ${counted(task.ended, 'device')} failed`,
      ),
    );
  for (const { identifier, thing, state } of failedDevices)
    lines.push(listed(`device ${printable(thing)} of ${printable(identifier)}: ${state}`));
  lines.push(line('not as set', notHolding, notHolding === 0 ? '' : 'the task was changed since'));
  for (const task of someNotHolding) lines.push(listed(changedText(task)));
  if (gone > 0) lines.push(line('gone', gone, 'the task no longer exists'));
  if (unread > 0) lines.push(line('unread', unread, printable(found.unreadWhy ?? '')));
  lines.push(`next: ${nextStep(jobId, found, commandLine)}`);
  return `${lines.join('\n')}\n`;
}

/** For scripts: one JSON object on one line. */
export function verificationJson(jobId: string, found: Verification | JudgedVerification): string {
  const {
    at,
    unreadWhy,
    devices,
    stage: _,
    judged: __,
    ...rest
  }: Verification & Partial<JudgedVerification> = found;
  return jsonLine({
    job: jobId,
    at: new Date(at).toISOString(),
    ...rest,
    devices,
    devicesUnderWay: underWay(devices),
    devicesEnded: deviceEnds(devices).ended,
    devicesFailed: deviceEnds(devices).failed,
    unreadWhy: unreadWhy ?? null,
  });
}

/** Whether the verification found any fault. */
export function isBad({ devices, notHolding, gone, unread }: Verification): boolean {
  return deviceEnds(devices).failed + notHolding + gone + unread > 0;
}

function shareOf({ ended, failed }: Ends): string {
  return `${((100 * failed) / ended).toFixed(1)}%`;
}

function changedText({ row, identifier, field, set, now }: ChangedTask): string {
  const is = now === '' ? 'nothing' : `"${shortPrintable(now, MAX_VALUE)}"`;
  return `${printable(identifier)} (row ${row}): ${field} is ${is}, not "${shortPrintable(set, MAX_VALUE)}"`;
}

function nextStep(jobId: string, { devices }: Verification, commandLine: CommandLine): string {
  if (underWay(devices) > 0) return commandLine('jobs', 'verify', jobId, '--watch');
  if (deviceEnds(devices).failed > 0) return commandLine('jobs', 'undo', jobId);
  return commandLine('jobs', 'report', jobId);
}
