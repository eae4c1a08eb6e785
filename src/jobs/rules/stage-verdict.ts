/** Whether a stage may pass, by what was last seen of its devices. PURE. */
import { counted, number } from '../../text/numbers.ts';
import { roughDuration } from '../../text/times.ts';
import { brokenText, isBroken, leastOf, withoutLeast } from './abort-rules.ts';
import { devicesJudged, isLookedAt, type StageDevices, type StageProgress } from './progress.ts';
import type { JobSettings } from './settings.ts';

/** How long a stage waits for its devices without `--verify-within`, in seconds. */
export const DEFAULT_VERIFY_WITHIN = 86_400;

/** The devices of its own that a stage waits for. */
export interface AwaitedDevices
  extends Pick<StageDevices, 'tasks' | 'unnamed' | 'devices' | 'ended' | 'underWay'> {
  /** Number of ended devices needed to judge; undefined: all devices. */
  readonly least: number | undefined;
}

interface StageVerdict {
  /** Set while the rules cannot judge yet. */
  readonly awaits?: AwaitedDevices;
  /** Why the stage may not pass, as a sentence without its full stop. */
  readonly broken?: string;
}

/**
 * With `--verify-each` a stage does not pass unjudged. It waits for its own devices, regardless of those of earlier stages. A rule with
 * a share waits for its minimum number of devices. A rule with a count waits for all of them, since any device may be the one too many.
 * Once no device is under way and every task names some, the rules judge the devices there are. A task that names no device yet has
 * just been updated.
 * @returns undefined: the devices were not looked at since the stage began to wait for that.
 */
export function verdictOn(
  { abortWhen = [], verifyEach }: Pick<JobSettings, 'abortWhen' | 'verifyEach'>,
  progress: StageProgress,
): StageVerdict | undefined {
  const [ends, { stage }] = [devicesJudged(progress), progress.devices ?? {}];
  if (ends === undefined || stage === undefined || !isLookedAt(progress)) return undefined;
  if (verifyEach !== true) return {};
  const rules = abortWhen.filter(({ of }) => of === 'devices');
  const { tasks, unnamed, devices, ended, underWay } = stage;
  const wanted = Math.max(0, ...rules.map((rule) => ('count' in rule.limit ? Infinity : leastOf(rule))));
  const mayEnd = underWay > 0 || unnamed > 0;
  if (mayEnd && ended < wanted) {
    const least = Number.isFinite(wanted) ? wanted : undefined;
    return { awaits: { tasks, unnamed, devices, ended, underWay, least } };
  }
  if (mayEnd) return {};
  const broken = rules.find((rule) => ends.ended < leastOf(rule) && isBroken(withoutLeast(rule), ends));
  return broken === undefined
    ? {}
    : { broken: `${brokenText(broken, ends)}, and no other device of its stage is under way` };
}

/** Whether the devices, looked at in time, let the stage pass. */
export function passes(settings: JobSettings, progress: StageProgress): boolean {
  const verdict = verdictOn(settings, progress);
  return verdict !== undefined && verdict.broken === undefined && verdict.awaits === undefined;
}

/** How long a stage waits for its devices, as the end of the wait in epoch milliseconds. */
export function verifiedUntil({ verifyWithin = DEFAULT_VERIFY_WITHIN }: JobSettings, since: number): number {
  return since + verifyWithin * 1_000;
}

/**
 * Why a person is asked about a stage that waits for its devices, as a sentence without its full stop; undefined: the wait is not over,
 * or a rule is broken.
 */
export function overdueWhy(settings: JobSettings, progress: StageProgress, now: number): string | undefined {
  if (now < verifiedUntil(settings, progress.since)) return undefined;
  const { awaits, broken } = verdictOn(settings, progress) ?? {};
  if (broken !== undefined) return undefined;
  const { verifyWithin = DEFAULT_VERIFY_WITHIN } = settings;
  const rest = `within ${roughDuration(verifyWithin)} (--verify-within): resume the job to continue without them`;
  if (awaits === undefined) return `The devices of its stage could not be looked at ${rest}`;
  const { tasks, unnamed, devices, ended, underWay, least } = awaits;
  if (unnamed > 0) {
    const which = `${number(unnamed)} of ${counted(tasks, 'task')} of its stage named no device`;
    return `${which}${underWay > 0 ? `, and ${counted(underWay, 'device')} did not end,` : ''} ${rest}`;
  }
  const of = `${number(underWay)} of ${counted(devices, 'device')} of its stage did not end`;
  const enough =
    least === undefined ? '' : `, and ${number(ended)} did, although a rule needs ${number(least)},`;
  return `${of}${enough} ${rest}`;
}
