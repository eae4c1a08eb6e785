/** How far a job is through its stages. PURE. */
import type { Causes, Ends } from './abort-rules.ts';

/** Kept with the job, as JSON. */
export interface StageProgress {
  /** Where counting begins: the ends at the begin of this try, or after the job last stopped. */
  readonly good: number;
  readonly failed: number;
  /** Of the failed ones, by cause. */
  readonly causes: Readonly<Record<string, number>>;
  readonly canaryPassed: boolean;
  /** The canary that this is about, as it is given; another one begins anew. */
  readonly canary?: string;
  /** Rows, counted from where counting began, that are through: their stages are over. */
  readonly passed: number;
  /** What has to happen before the next stage. */
  readonly waitsFor: WaitsFor;
  /** Since when; epoch milliseconds. 0: since the job began to be counted. */
  readonly since: number;
  /** The state in which the job was when a person was asked, by its `since`: in another one that runs, there is an answer. */
  readonly askedIn?: number;
  /** Why a person is asked though nobody wanted to be: its devices were waited for too long. */
  readonly overdue?: string;
  /** Rows that were sent by then are of the stages before; as the ledger's `sentAt`. */
  readonly stageAfter?: number;
  /** Rows that were sent by then are no more judged by: the job was stopped by a rule after them, or they are tried again. */
  readonly judgedAfter?: number;
  /** What was last seen of the devices. */
  readonly devices?: SeenDevices;
}

/** Devices of the job's tasks, as they were looked at. */
export interface SeenDevices extends Ends {
  /** When it was begun to look, by the clock of who looked; epoch milliseconds. */
  readonly at: number;
  /** Where it was begun while a stage waited for it: {@link StageProgress.since} of that wait. No clocks are compared. */
  readonly inWait?: number;
  /** Devices that have not ended; undefined: an earlier release has looked. */
  readonly underWay?: number;
  /** Those that rules judge by; undefined: an earlier release has looked. */
  readonly judged?: JudgedDevices;
  /** Those of the stage alone; undefined: an earlier release has looked. */
  readonly stage?: StageDevices;
}

/** Devices behind the rows that were sent after {@link StageProgress.judgedAfter}. */
export interface JudgedDevices extends Ends {
  /** What that was when they were looked at; 0 without it. */
  readonly after: number;
}

/** Devices behind the rows that were sent after {@link StageProgress.stageAfter}. */
export interface StageDevices {
  /** Tasks that were read. */
  readonly tasks: number;
  /** Devices that these name, in whatever state. */
  readonly devices: number;
  readonly ended: number;
  readonly underWay: number;
  /** Tasks among those that name no device yet. */
  readonly unnamed: number;
  /** When the last row of the job was sent whose task was read, by the ledger; epoch milliseconds, 0 without one. */
  readonly lastSent: number;
}

export const waits = ['ends', 'soak', 'verify', 'word'] as const;
/**
 * - `ends`: the rows of the stage are sent, and their ends waited for
 * - `soak`: all have ended, and the time to wait is not over
 * - `verify`: the devices are to be looked at
 * - `word`: a person is to let it go on
 */
export type WaitsFor = (typeof waits)[number];

/** Of a job of which nothing has ended. */
export const beginning: StageProgress = {
  good: 0,
  failed: 0,
  causes: {},
  canaryPassed: false,
  passed: 0,
  waitsFor: 'ends',
  since: 0,
};

/** The most frequent ones are kept: there may be any number of names. */
const MAX_CAUSES = 100;

interface EndCounts {
  readonly applied: number;
  readonly superseded: number;
  readonly failed: number;
  readonly causes: Causes;
}

/**
 * Where counting begins now, with the first stage.
 * @param before the progress until now. @param lastSent rows that were sent by then are judged no more; without it, those that were.
 */
export function countFrom(
  counts: EndCounts,
  before: StageProgress = beginning,
  lastSent?: number,
): StageProgress {
  const { devices } = before;
  const stageAfter = lastSent ?? devices?.stage?.lastSent ?? before.stageAfter;
  const judgedAfter = lastSent ?? before.judgedAfter;
  return {
    ...beginning,
    ...(stageAfter !== undefined && { stageAfter }),
    ...(judgedAfter !== undefined && { judgedAfter }),
    good: counts.applied + counts.superseded,
    failed: counts.failed,
    causes: Object.fromEntries(counts.causes.slice(0, MAX_CAUSES).map(({ cause, rows }) => [cause, rows])),
    ...(devices !== undefined && { devices }),
  };
}

/** Ends since counting began. A row that is tried again no longer counts as failed. */
export interface EndsSince extends Ends {
  readonly good: number;
  readonly causes: { readonly cause: string; readonly rows: number }[];
}

export function endsSince(progress: StageProgress, counts: EndCounts): EndsSince {
  const good = Math.max(0, counts.applied + counts.superseded - progress.good);
  const failed = Math.max(0, counts.failed - progress.failed);
  // The names are anybody's: one may be that of a method.
  const before = (cause: string): number =>
    Object.hasOwn(progress.causes, cause) ? (progress.causes[cause] ?? 0) : 0;
  const causes = counts.causes
    .map(({ cause, rows }) => ({ cause, rows: rows - before(cause) }))
    .filter(({ rows }) => rows > 0);
  return { good, failed, ended: good + failed, causes };
}

/** Whether devices were looked at since the stage has begun to wait for that. */
export function isLookedAt({ waitsFor, since, devices }: StageProgress): boolean {
  return waitsFor === 'verify' && devices?.inWait === since;
}

/**
 * Devices that rules judge by, as far as anybody has looked: those of the rows that were sent since counting began, without those of
 * tasks that an undo has given their former configuration: what these do says nothing of the job.
 */
export function devicesJudged({ devices, judgedAfter = 0 }: StageProgress): Ends | undefined {
  const { judged } = devices ?? {};
  return judged?.after === judgedAfter ? judged : undefined;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/**
 * Reads what a ledger holds, also as earlier releases wrote it.
 * @returns undefined when it is damaged.
 */
export function readProgress(stored: unknown): StageProgress | undefined {
  if (typeof stored !== 'object' || stored === null) return undefined;
  const held = { ...beginning, ...(stored as Partial<Readonly<Record<keyof StageProgress, unknown>>>) };
  const { good, failed, causes, canaryPassed, canary, passed, waitsFor, since, askedIn } = held;
  const { overdue, stageAfter, judgedAfter } = held;
  const devices = withoutOlder(held.devices);
  if (![good, failed, passed, since].every(isCount)) return undefined;
  if (typeof canaryPassed !== 'boolean' || !waits.some((wait) => wait === waitsFor)) return undefined;
  if (canary !== undefined && typeof canary !== 'string') return undefined;
  if (askedIn !== undefined && !isCount(askedIn)) return undefined;
  if (overdue !== undefined && typeof overdue !== 'string') return undefined;
  if (stageAfter !== undefined && !isCount(stageAfter)) return undefined;
  if (judgedAfter !== undefined && !isCount(judgedAfter)) return undefined;
  if (typeof causes !== 'object' || causes === null || !Object.values(causes).every(isCount))
    return undefined;
  if (devices !== undefined && !isSeen(devices)) return undefined;
  const { devicesBefore: _, ...kept } = stored as Readonly<Record<string, unknown>>;
  return { ...beginning, ...kept, ...(devices !== undefined && { devices }) };
}

/** An earlier release told stages apart by the workers' clocks: they are looked at again. */
function withoutOlder(devices: unknown): SeenDevices | undefined {
  const { stage, ...seen } = Object(devices) as SeenDevices & { readonly stage?: object };
  if (stage === undefined || !('lastEnd' in stage)) return devices as SeenDevices | undefined;
  return seen;
}

function isSeen(value: unknown): boolean {
  if (!isEnds(value)) return false;
  const { at, inWait = 0, underWay = 0, stage, judged } = value as Partial<SeenDevices>;
  if (judged !== undefined && !(isEnds(judged) && isCount(judged.after))) return false;
  return [at, inWait, underWay].every(isCount) && (stage === undefined || isStage(stage));
}

function isStage(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { tasks, unnamed, devices, ended, underWay, lastSent } = value as Partial<StageDevices>;
  return [tasks, unnamed, devices, ended, underWay, lastSent].every(isCount);
}

function isEnds(value: unknown): value is Ends {
  if (typeof value !== 'object' || value === null) return false;
  const { ended, failed } = value as Readonly<Record<string, unknown>>;
  return isCount(ended) && isCount(failed);
}
