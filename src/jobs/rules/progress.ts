/** How far a job is through its stages. PURE. */
import type { Causes, Ends } from './abort-rules.ts';

/** Stored with the job, as JSON. */
export interface StageProgress {
  /** Where counting begins: the ends at the start of this try, or after the job last stopped. */
  readonly good: number;
  readonly failed: number;
  /** The failed ones by cause. */
  readonly causes: Readonly<Record<string, number>>;
  readonly canaryPassed: boolean;
  /** The canary that this progress belongs to, as given; another canary starts anew. */
  readonly canary?: string;
  /** Rows, counted from where counting began, whose stages are over. */
  readonly passed: number;
  /** What the job waits for before the next stage. */
  readonly waitsFor: WaitsFor;
  /** Since when it waits; epoch milliseconds. 0: since counting began. */
  readonly since: number;
  /** `since` of the state in which a person was asked: a later running state is the answer. */
  readonly askedIn?: number;
  /** Why a person is asked without a setting that requires it: the job waited too long for its devices. */
  readonly overdue?: string;
  /** Rows sent up to this time belong to earlier stages; compared with the ledger's `sentAt`. */
  readonly stageAfter?: number;
  /** Rows sent up to this time are no longer judged: a rule stopped the job after them, or they are tried again. */
  readonly judgedAfter?: number;
  /** What was last seen of the devices. */
  readonly devices?: SeenDevices;
}

/** Devices of the job's tasks, as they were looked at. */
export interface SeenDevices extends Ends {
  /** When the look began, by the clock of the process that looked; epoch milliseconds. */
  readonly at: number;
  /** If the look began while a stage waited for it: {@link StageProgress.since} of that wait. This avoids comparing clocks. */
  readonly inWait?: number;
  /** Devices that have not ended; undefined if an earlier release looked. */
  readonly underWay?: number;
  /** The devices that rules judge; undefined if an earlier release looked. */
  readonly judged?: JudgedDevices;
  /** The devices of this stage alone; undefined if an earlier release looked. */
  readonly stage?: StageDevices;
}

/** Devices behind the rows sent after {@link StageProgress.judgedAfter}. */
export interface JudgedDevices extends Ends {
  /** The value of `judgedAfter` at that look; 0 without one. */
  readonly after: number;
}

/** Devices behind the rows sent after {@link StageProgress.stageAfter}. */
export interface StageDevices {
  /** Tasks that were read. */
  readonly tasks: number;
  /** Devices that these tasks name, in any state. */
  readonly devices: number;
  readonly ended: number;
  readonly underWay: number;
  /** Tasks among them that name no device yet. */
  readonly unnamed: number;
  /** When the latest row of the job whose task was read was sent, by the ledger; epoch milliseconds, 0 without one. */
  readonly lastSent: number;
}

export const waits = ['ends', 'soak', 'verify', 'word'] as const;
/**
 * - `ends`: the stage's rows are sent, and the job waits for their ends
 * - `soak`: all have ended, and the time to wait is not over
 * - `verify`: the devices must be looked at
 * - `word`: a person must let the job continue
 */
export type WaitsFor = (typeof waits)[number];

/** For a job of which nothing has ended. */
export const beginning: StageProgress = {
  good: 0,
  failed: 0,
  causes: {},
  canaryPassed: false,
  passed: 0,
  waitsFor: 'ends',
  since: 0,
};

/** How many causes are kept, the most frequent ones: the number of names is unlimited. */
const MAX_CAUSES = 100;

interface EndCounts {
  readonly applied: number;
  readonly superseded: number;
  readonly failed: number;
  readonly causes: Causes;
}

/**
 * Starts counting anew here, with the first stage.
 * @param before the progress until now. @param lastSent rows sent by then are no longer judged; if missing, `before` decides.
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
  // Names are arbitrary: one may equal the name of a method.
  const before = (cause: string): number =>
    Object.hasOwn(progress.causes, cause) ? (progress.causes[cause] ?? 0) : 0;
  const causes = counts.causes
    .map(({ cause, rows }) => ({ cause, rows: rows - before(cause) }))
    .filter(({ rows }) => rows > 0);
  return { good, failed, ended: good + failed, causes };
}

/** Whether devices were looked at since the stage began to wait for that. */
export function isLookedAt({ waitsFor, since, devices }: StageProgress): boolean {
  return waitsFor === 'verify' && devices?.inWait === since;
}

/**
 * The devices that rules judge, as far as they were looked at: those of the rows sent since counting began. Tasks that an undo has
 * given their former configuration are excluded, since their devices say nothing about the job.
 */
export function devicesJudged({ devices, judgedAfter = 0 }: StageProgress): Ends | undefined {
  const { judged } = devices ?? {};
  return judged?.after === judgedAfter ? judged : undefined;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/**
 * Reads what a ledger holds, including what earlier releases wrote.
 * @returns undefined if it is damaged.
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

/** An earlier release distinguished stages by the workers' clocks: its devices are looked at again. */
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
