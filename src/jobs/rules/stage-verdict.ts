/** Whether a stage may pass, by what was last seen of its devices. PURE. */
import { counted, number } from '../../text/numbers.ts';
import { roughDuration } from '../../text/times.ts';
import { brokenText, isBroken, leastOf, withoutLeast } from './abort-rules.ts';
import { devicesJudged, isLookedAt, type StageDevices, type StageProgress } from './progress.ts';
import type { JobSettings } from './settings.ts';

/** So long a stage waits for its devices without `--verify-within`, in seconds. */
export const DEFAULT_VERIFY_WITHIN = 86_400;

/** What a stage waits for of its own devices. */
export interface AwaitedDevices
  extends Pick<StageDevices, 'tasks' | 'unnamed' | 'devices' | 'ended' | 'underWay'> {
  /** So many are enough to judge by; undefined: all of them are waited for. */
  readonly least: number | undefined;
}

interface StageVerdict {
  /** The rules cannot judge yet. */
  readonly awaits?: AwaitedDevices;
  /** It may not pass, as a sentence without its full stop. */
  readonly broken?: string;
}

/**
 * With `--verify-each` a stage does not pass unjudged. Its own devices are waited for, whatever those of the stages before have done:
 * as many as a share wants to see, and for a count all of them, as each may be the one too many. Once none of them is under way, and
 * every task names some, the rules judge by those that there are: tasks that name none yet have just been updated.
 * @returns undefined: they were not looked at since it has begun to wait for that.
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

/** Whether the devices, looked at in time, let the stage go on. */
export function passes(settings: JobSettings, progress: StageProgress): boolean {
  const verdict = verdictOn(settings, progress);
  return verdict !== undefined && verdict.broken === undefined && verdict.awaits === undefined;
}

/** Until when a stage waits for its devices; epoch milliseconds. */
export function verifiedUntil({ verifyWithin = DEFAULT_VERIFY_WITHIN }: JobSettings, since: number): number {
  return since + verifyWithin * 1_000;
}

/**
 * Why a person is asked about a stage that waits for its devices, as a sentence without its full stop; undefined: its time is not over,
 * or a rule is broken.
 */
export function overdueWhy(settings: JobSettings, progress: StageProgress, now: number): string | undefined {
  if (now < verifiedUntil(settings, progress.since)) return undefined;
  const { awaits, broken } = verdictOn(settings, progress) ?? {};
  if (broken !== undefined) return undefined;
  const { verifyWithin = DEFAULT_VERIFY_WITHIN } = settings;
  const rest = `within ${roughDuration(verifyWithin)} (--verify-within): resume it to go on without`;
  if (awaits === undefined) return `The devices of its stage could not be looked at ${rest}`;
  const { tasks, unnamed, devices, ended, underWay, least } = awaits;
  if (unnamed > 0) {
    const which = `${number(unnamed)} of ${counted(tasks, 'task')} of its stage named no device`;
    return `${which}${underWay > 0 ? `, and ${counted(underWay, 'device')} did not end,` : ''} ${rest}`;
  }
  const of = `${number(underWay)} of ${counted(devices, 'device')} of its stage did not end`;
  const enough =
    least === undefined ? '' : `, and ${number(ended)} did where a rule wants to see ${number(least)},`;
  return `${of}${enough} ${rest}`;
}
