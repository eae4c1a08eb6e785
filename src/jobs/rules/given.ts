/** A job's settings as people give them. PURE. */
import { misuse } from '../../errors.ts';
import { readReportPlace } from '../file-report/place.ts';
import { parseAbortRule } from './abort-rules.ts';
import { parseAmount } from './amount.ts';
import { parseRamp } from './ramp.ts';
import type { JobSettings } from './settings.ts';
import { parseStages } from './stages.ts';
import { parseSchedule, parseSeconds } from './times.ts';

/** Settings as given: texts of flags or of a form. */
export interface GivenSettings {
  readonly canary?: string;
  readonly stages?: string;
  readonly ramp?: string;
  readonly soak?: string;
  readonly verifyEach?: boolean;
  readonly verifyWithin?: string;
  readonly confirmEach?: boolean;
  /** Any number of rules. */
  readonly abortWhen: readonly string[];
  readonly undoOnAbort?: boolean;
  readonly window?: number;
  readonly rate?: number;
  readonly priority?: number;
  readonly startAt?: string;
  readonly between?: string;
  readonly tz?: string;
  readonly deadline?: string;
  readonly reportTo?: string;
}

/**
 * @param now epoch milliseconds: durations begin here.
 * @throws CommandError if a setting is invalid.
 */
export function readGuards(given: GivenSettings, now: number): JobSettings {
  const { canary, stages, ramp, soak, verifyEach, verifyWithin, confirmEach, abortWhen, undoOnAbort } = given;
  const { window, rate, priority, startAt, between, tz, deadline, reportTo } = given;
  if (priority !== undefined && priority > 9)
    throw misuse(`--priority ${priority}: give a whole number from 1 (lowest) to 9.`);
  // Refused now rather than at the end of the job.
  if (reportTo !== undefined) readReportPlace('--report-to', reportTo);
  const times = {
    ...(startAt !== undefined && { startAt }),
    ...(between !== undefined && { between }),
    ...(tz !== undefined && { tz }),
    ...(deadline !== undefined && { deadline }),
  };
  return {
    ...(canary !== undefined && { canary: parseAmount('--canary', canary) }),
    ...(stages !== undefined && { stages: parseStages(stages) }),
    ...(ramp !== undefined && { ramp: parseRamp(ramp) }),
    ...(soak !== undefined && { soak: parseSeconds('--soak', soak) }),
    ...(verifyEach !== undefined && { verifyEach }),
    ...(verifyWithin !== undefined && { verifyWithin: parseSeconds('--verify-within', verifyWithin) }),
    ...(confirmEach !== undefined && { confirmEach }),
    ...(abortWhen.length > 0 && { abortWhen: abortWhen.map(parseAbortRule) }),
    ...(undoOnAbort !== undefined && { undoOnAbort }),
    ...(window !== undefined && { window }),
    ...(rate !== undefined && { rate }),
    ...(priority !== undefined && { priority }),
    ...(reportTo !== undefined && { reportTo }),
    ...parseSchedule(times, now),
  };
}

/** Settings that can be removed again. */
export const unsettableNames = [
  'canary',
  'stages',
  'ramp',
  'soak',
  'verifyEach',
  'verifyWithin',
  'confirmEach',
  'abortWhen',
  'undoOnAbort',
  'window',
  'rate',
  'priority',
  'startAt',
  'between',
  'deadline',
  'reportTo',
] as const satisfies readonly (keyof JobSettings)[];

export type Unsettable = (typeof unsettableNames)[number];

/** The settings without the named ones. */
export function without(settings: JobSettings, names: readonly Unsettable[]): JobSettings {
  const gone = new Set<string>(names);
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !gone.has(name)));
}
