/** How a job is sent: all its settings. PURE. */
import { misuse } from '../../errors.ts';
import { type AbortRule, formatAbortRule, isAbortRule, refuseIdleRules } from './abort-rules.ts';
import { type Amount, isAmount } from './amount.ts';
import { isRamp, type Ramp } from './ramp.ts';
import type { Schedule } from './schedule.ts';
import { isStages, type Stages } from './stages.ts';
import { isWindow, refuseNever, refusePast } from './times.ts';

/** Stored with the job, as JSON; may be changed while it runs. */
export interface JobSettings extends Schedule {
  /** Maximum number of rows in flight; follows the rate if omitted. */
  readonly window?: number;
  /** Maximum number of rows sent per second. */
  readonly rate?: number;
  /** 1-9: the job's share when other jobs are sent, too. Default: {@link DEFAULT_PRIORITY}. */
  readonly priority?: number;
  /** Rows sent first, as a sample of all; the rest follows only if none of them fails. */
  readonly canary?: Amount;
  readonly stages?: Stages;
  readonly ramp?: Ramp;
  /** Between stages: seconds to wait after the last row of a stage has ended. */
  readonly soak?: number;
  /** Between stages: look at the devices before going on. */
  readonly verifyEach?: boolean;
  /** After this many seconds a stage that waits for its devices asks a person. Default: `DEFAULT_VERIFY_WITHIN`. */
  readonly verifyWithin?: number;
  /** Between stages: wait for a person. */
  readonly confirmEach?: boolean;
  readonly abortWhen?: readonly AbortRule[];
  /** If a rule has stopped the job, restore what the tasks were before. */
  readonly undoOnAbort?: boolean;
  /** Where its report is filed at its end, as given to `--report-to`: a bucket, or the absolute path of a folder. */
  readonly reportTo?: string;
}

export const DEFAULT_PRIORITY = 5;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 1;
const isPositive = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0;
const isTrueOrFalse = (value: unknown): value is boolean => typeof value === 'boolean';
const isTime = (value: unknown): value is number => Number.isSafeInteger(value);
const listOf =
  <T>(isOne: (value: unknown) => value is T) =>
  (value: unknown): value is readonly T[] =>
    Array.isArray(value) && value.every(isOne);
const isText = (value: unknown): value is string => typeof value === 'string';
const isPriority = (value: unknown): value is number => isCount(value) && value <= 9;

const checks: {
  readonly [Name in keyof JobSettings]-?: (value: unknown) => value is NonNullable<JobSettings[Name]>;
} = {
  window: isCount,
  rate: isPositive,
  priority: isPriority,
  canary: isAmount,
  stages: isStages,
  ramp: isRamp,
  soak: isPositive,
  verifyEach: isTrueOrFalse,
  verifyWithin: isPositive,
  confirmEach: isTrueOrFalse,
  abortWhen: listOf(isAbortRule),
  undoOnAbort: isTrueOrFalse,
  startAt: isTime,
  between: isWindow,
  deadline: isTime,
  reportTo: isText,
};

/**
 * Reads what a ledger holds, including what earlier releases wrote: a canary as a number, and a single abort rule.
 * @returns undefined if it is damaged. Unknown settings are left out.
 */
export function readSettings(stored: unknown): JobSettings | undefined {
  if (typeof stored !== 'object' || stored === null || Array.isArray(stored)) return undefined;
  const settings: Record<string, unknown> = {};
  for (const [name, check] of Object.entries(checks)) {
    const value = modern(name, (stored as Readonly<Record<string, unknown>>)[name]);
    if (value === undefined) continue;
    if (!check(value)) return undefined;
    settings[name] = value;
  }
  return settings;
}

/** A setting in the form that this release writes. */
function modern(name: string, value: unknown): unknown {
  if (name === 'canary' && typeof value === 'number') return { rows: value };
  if (name === 'abortWhen' && typeof value === 'object' && value !== null && 'share' in value)
    return [{ of: 'rows', limit: value }];
  return value;
}

/**
 * Refuses settings that contradict each other.
 * @param now epoch milliseconds.
 * @throws CommandError that names them, and says what to do.
 */
export function refuseContradictions(settings: JobSettings, now: number): void {
  const { abortWhen = [], stages, canary, ramp, window, soak, confirmEach, verifyEach } = settings;
  refuseIdleRules(abortWhen);
  if (ramp !== undefined && window !== undefined && ramp.from >= window)
    throw misuse(
      `--ramp never grows: it begins with ${ramp.from} rows in flight, and --window allows ${window}. Begin with fewer, or allow more.`,
    );
  const between =
    soak !== undefined
      ? '--soak'
      : verifyEach === true
        ? '--verify-each'
        : confirmEach === true
          ? '--confirm-each'
          : undefined;
  if (between !== undefined && stages === undefined && canary === undefined)
    throw misuse(`${between} is for the time between stages: give --stages or --canary, too.`);
  if (verifyEach === true && !abortWhen.some(({ of }) => of === 'devices'))
    throw misuse(
      "--verify-each has nothing to judge by: give a rule on devices, too, as in --abort-when 'devices-failed>5%/500'.",
    );
  if (settings.undoOnAbort === true && abortWhen.length === 0 && canary === undefined)
    throw misuse(
      '--undo-on-abort can never act, as nothing aborts the job: give --abort-when or --canary, too.',
    );
  const [first] = stages?.steps ?? [];
  if (canary !== undefined && first !== undefined && isLarger(canary, first))
    throw misuse(
      '--canary is larger than the first of --stages, which counts its rows, too: give a smaller one.',
    );
  refuseNever(settings, now);
}

/**
 * Adds the given settings to those that the job has.
 * @param now epoch milliseconds. @param givenAt when `given` was given.
 * @throws CommandError if settings contradict each other, and for times that have passed.
 */
export function withSettings(
  before: JobSettings,
  given: JobSettings,
  now: number,
  givenAt = now,
): JobSettings {
  const settings = { ...before, ...given };
  if (Object.keys(given).length === 0) return settings;
  refusePast(before, given, givenAt);
  refuseContradictions(settings, now);
  return settings;
}

/** Amounts of different kinds can be compared only if the job's size is known. */
function isLarger(a: Amount, b: Amount): boolean {
  if ('rows' in a) return 'rows' in b && a.rows > b.rows;
  return 'percent' in b && a.percent > b.percent;
}

/** The rules in the form in which they are given. */
export function formatRules(rules: readonly AbortRule[]): string {
  return rules.map(formatAbortRule).join(', ');
}
