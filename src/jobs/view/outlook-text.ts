/** What to expect of a job, for people and for scripts. PURE. */
import { counted, number } from '../../text/numbers.ts';
import { countdown, instant, roughDuration } from '../../text/times.ts';
import type { AwaitedDevices } from '../rules/stage-verdict.ts';
import type { Outlook } from '../run/progress.ts';

/** `stage 2 of 5: 300 of 500 rows ended`, or what a job waits for after its last row; undefined for a job without stages. */
export function stageText({ stage, waitsFor, now }: Outlook): string | undefined {
  if (stage === undefined) return lastLookText(waitsFor, now);
  const [ended, end] = [number(stage.ended), number(stage.end)];
  const text =
    stage.number === undefined
      ? `canary: ${ended} of ${end} good ends, then the rest`
      : `stage ${number(stage.number.stage)} of ${number(stage.number.of)}: ${ended} of ${end} rows ended`;
  switch (waitsFor?.for) {
    case 'soak':
      return `${text}; continues in ${countdown(secondsUntil(waitsFor.until, now))}`;
    case 'verify':
      return `${text}; continues when ${awaitedText(waitsFor.awaits)}${pauseText(waitsFor.until, now)}`;
    default:
      return text;
  }
}

function awaitedText(awaits: AwaitedDevices | undefined): string {
  if (awaits === undefined) return 'the devices have been looked at';
  const { tasks, unnamed, ended, least, underWay } = awaits;
  if (unnamed > 0) {
    const which = `${number(unnamed)} of ${counted(tasks, 'task')} ${unnamed === 1 ? 'names' : 'name'} none yet`;
    return `its devices are known: ${which}${ended + underWay > 0 ? `; ${number(ended)} ended, ${number(underWay)} under way` : ''}`;
  }
  const what =
    least === undefined
      ? 'all of its devices have ended'
      : `${number(least)} of its devices have ended or none is under way`;
  return `${what}: ${number(ended)} ended, ${number(underWay)} under way`;
}

function pauseText(until: number | undefined, now: number): string {
  return until === undefined ? '' : `; otherwise it is paused in ${roughDuration(secondsUntil(until, now))}`;
}

function lastLookText(waitsFor: Outlook['waitsFor'], now: number): string | undefined {
  switch (waitsFor?.for) {
    case 'soak':
      return `all rows have ended; the devices are looked at in ${countdown(secondsUntil(waitsFor.until, now))}`;
    case 'verify':
      return 'all rows have ended; done when the devices have been looked at';
    default:
      return undefined;
  }
}

/** `500 ended, 30 of them failed, as of 2026-11-29 15:04:07 UTC`; undefined for a job that is not judged by its devices. */
export function devicesText({ devices }: Outlook): string | undefined {
  if (devices === undefined) return undefined;
  const { ended, failed, at, underWay } = devices;
  const others = underWay === undefined ? '' : `, ${number(underWay)} under way`;
  return `${number(ended)} ended, ${number(failed)} of them failed${others}, as of ${instant(at)} UTC`;
}

/** `2026-11-29 15:04:07 UTC, in 1h 3m`. */
export function endText({ expectedEnd, now }: Outlook): string | undefined {
  if (expectedEnd === undefined) return undefined;
  return `${instant(expectedEnd)} UTC, in ${roughDuration(secondsUntil(expectedEnd, now))}, at the present rate`;
}

/** The fields of a status in JSON. */
export function outlookJson(outlook: Outlook | undefined): Readonly<Record<string, unknown>> {
  const { stage, devices, waitsFor, expectedEnd, now = 0 } = outlook ?? {};
  const { stage: at, of } = stage?.number ?? {};
  return {
    stage:
      stage === undefined
        ? null
        : { stage: at ?? 'canary', of: of ?? null, ended: stage.ended, end: stage.end, failed: stage.failed },
    devices:
      devices === undefined
        ? null
        : {
            ended: devices.ended,
            failed: devices.failed,
            underWay: devices.underWay ?? null,
            lookedAt: new Date(devices.at).toISOString(),
          },
    waitsFor: waitsFor?.for ?? null,
    waitsUntil: waitsFor !== undefined && 'until' in waitsFor ? new Date(waitsFor.until).toISOString() : null,
    expectedEnd: expectedEnd === undefined ? null : new Date(expectedEnd).toISOString(),
    secondsLeft: expectedEnd === undefined ? null : secondsUntil(expectedEnd, now),
  };
}

function secondsUntil(epochMs: number, now: number): number {
  return Math.max(0, Math.ceil((epochMs - now) / 1_000));
}
