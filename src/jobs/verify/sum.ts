/** What became of the devices behind a job's tasks, summed row by row in bounded memory. PURE. */
import {
  countsOf,
  type DeviceCounts,
  type DeviceState,
  deviceEnds,
  deviceStates,
  underWay,
} from '../../message/devices.ts';
import type { OtaTask } from '../../ota/answers.ts';
import type { ReadAnswer } from '../../ota/reader.ts';
import type { LedgerRow } from '../ledger/row.ts';
import { changeFields } from '../plan/decisions.ts';
import type { TaskChange } from '../plan/format.ts';
import type { Ends } from '../rules/abort-rules.ts';
import type { JudgedDevices, SeenDevices, StageDevices, StageProgress } from '../rules/progress.ts';

/** A task whose devices fail. */
export interface WorstTask extends Ends {
  readonly row: number;
  readonly identifier: string;
}

/** A task that no longer holds what the job set. */
export interface ChangedTask {
  readonly row: number;
  readonly identifier: string;
  readonly field: string;
  /** What the job set. */
  readonly set: string;
  /** What the task has now; '' for nothing. */
  readonly now: string;
}

/** A device that did not take the update. */
export interface FailedDevice {
  readonly identifier: string;
  readonly thing: string;
  readonly state: DeviceState;
}

export interface Verification {
  /** When it was begun to look; epoch milliseconds. */
  readonly at: number;
  /** Whether every task of the job that there is was read; not, when it was interrupted. */
  readonly whole: boolean;
  /** Tasks that were read. A task that several rows of an enqueued job name counts for each. */
  readonly tasks: number;
  readonly devices: DeviceCounts;
  /** The tasks whose devices fail most, the worst first; a few. */
  readonly worst: readonly WorstTask[];
  /** Devices that failed, where they were asked for; a few. */
  readonly failedDevices: readonly FailedDevice[];
  /** Tasks that no longer hold what the job set, and a few of them. */
  readonly notHolding: number;
  readonly someNotHolding: readonly ChangedTask[];
  /** Tasks that are there no more. */
  readonly gone: number;
  /** Tasks that could not be read, and why the last of them could not, a phrase. */
  readonly unread: number;
  readonly unreadWhy: string | undefined;
}

/** What the rules of a job that is being sent need to know besides. */
export interface JudgedVerification extends Verification {
  /** Of the rows that rules judge by, without those of which the task has its former configuration again. */
  readonly judged: JudgedDevices;
  /** Of the rows of the stage that is being sent. One of which the task has its former configuration again names no device. */
  readonly stage: StageDevices;
}

/** Of each list in a verification. */
const MAX_LISTED = 10;

const none = countsOf(() => 0);

/** For the rules of a running job. @param progress when it was begun to look. */
export function seenDevices(
  { at, devices, judged, stage }: JudgedVerification,
  { waitsFor, since }: Pick<StageProgress, 'waitsFor' | 'since'>,
): SeenDevices {
  const ends = { ...deviceEnds(devices), underWay: underWay(devices) };
  return { at, ...(waitsFor === 'verify' && { inWait: since }), ...ends, judged, stage };
}

/** Whether no device is still to end: those of tasks that could not be read may be. */
export function hasEnded({ devices, whole }: Verification): boolean {
  return whole && underWay(devices) === 0;
}

/** Which rows count, by when they were sent. A row of which that is not known counts where none is left out. */
export type CountedRows = Pick<StageProgress, 'stageAfter' | 'judgedAfter'>;

export class VerificationSum {
  readonly #at: number;
  readonly #stageAfter: number;
  #judged: JudgedDevices;
  #stage: StageDevices = { tasks: 0, unnamed: 0, devices: 0, ended: 0, underWay: 0, lastSent: 0 };
  #tasks = 0;
  #devices: DeviceCounts = none;
  #worst: readonly WorstTask[] = [];
  readonly #failedDevices: FailedDevice[] = [];
  #notHolding = 0;
  readonly #someNotHolding: ChangedTask[] = [];
  #gone = 0;
  #unread = 0;
  #unreadWhy: string | undefined;

  /**
   * @param at when it was begun to look; epoch milliseconds. @param counted which rows are judged, and which are of the stage.
   */
  constructor(at: number, { stageAfter = -1, judgedAfter = 0 }: CountedRows = {}) {
    this.#at = at;
    this.#stageAfter = stageAfter;
    this.#judged = { after: judgedAfter, ended: 0, failed: 0 };
  }

  /**
   * @param answer what the API says of the row's task.
   * @param devices those of the task, where they were counted one by one; else the task's own counts are taken.
   * @param why why it could not be read, a phrase, if it could not.
   */
  add(
    row: Pick<LedgerRow, 'Row' | 'Identifier' | 'Description' | 'TaskConfigurationId' | 'Former' | 'sentAt'>,
    answer: ReadAnswer<OtaTask>,
    devices: DeviceCounts | undefined,
    why: string,
  ): void {
    if (!answer.ok) {
      if (answer.failure.status === 404 && answer.failure.kind === 'rejected') this.#gone++;
      else {
        this.#unread++;
        this.#unreadWhy = why;
      }
      return;
    }
    this.#tasks++;
    this.#compare(row, answer.value);
    const counts = devices ?? answer.value.devices ?? none;
    const before = this.#devices;
    this.#devices = countsOf((state) => before[state] + counts[state]);
    const ends = deviceEnds(counts);
    if (ends.failed > 0) this.#rank({ row: row.Row, identifier: row.Identifier, ...ends });
    const { sentAt = 0 } = row;
    const ofJob = isUndone(row, answer.value) ? none : counts;
    this.#addToStage(sentAt, ofJob);
    const { after } = this.#judged;
    if (sentAt > after || after === 0) this.#judge(deviceEnds(ofJob));
  }

  #judge(ends: Ends): void {
    const { after, ended, failed } = this.#judged;
    this.#judged = { after, ended: ended + ends.ended, failed: failed + ends.failed };
  }

  #addToStage(sentAt: number, counts: DeviceCounts): void {
    const { tasks, unnamed, devices, ended, underWay: left, lastSent } = this.#stage;
    const isOfStage = sentAt > this.#stageAfter;
    const named = deviceStates.reduce((sum, state) => sum + counts[state], 0);
    this.#stage = {
      tasks: tasks + (isOfStage ? 1 : 0),
      unnamed: unnamed + (isOfStage && named === 0 ? 1 : 0),
      devices: devices + (isOfStage ? named : 0),
      ended: ended + (isOfStage ? deviceEnds(counts).ended : 0),
      underWay: left + (isOfStage ? underWay(counts) : 0),
      lastSent: Math.max(lastSent, sentAt),
    };
  }

  /** A device that failed; the first few are kept. */
  addFailedDevice(device: FailedDevice): void {
    if (this.#failedDevices.length < MAX_LISTED) this.#failedDevices.push(device);
  }

  /** @param whole whether no task that there is was left out. */
  result(whole: boolean): JudgedVerification {
    return {
      at: this.#at,
      whole,
      judged: this.#judged,
      stage: this.#stage,
      tasks: this.#tasks,
      devices: this.#devices,
      worst: this.#worst,
      failedDevices: [...this.#failedDevices],
      notHolding: this.#notHolding,
      someNotHolding: [...this.#someNotHolding],
      gone: this.#gone,
      unread: this.#unread,
      unreadWhy: this.#unreadWhy,
    };
  }

  #compare(row: Parameters<VerificationSum['add']>[0], task: OtaTask): void {
    const changed = changeFields.flatMap((field) => {
      const set = row[field];
      const now = task[field] ?? '';
      return set === undefined || set === now ? [] : [{ field, set, now }];
    });
    const [first] = changed;
    if (first === undefined) return;
    this.#notHolding++;
    if (this.#someNotHolding.length < MAX_LISTED)
      this.#someNotHolding.push({ row: row.Row, identifier: row.Identifier, ...first });
  }

  /** By failed devices, and of as many by their share; then the earlier row. */
  #rank(task: WorstTask): void {
    const last = this.#worst.at(-1);
    if (this.#worst.length === MAX_LISTED && last !== undefined && byFailures(last, task) <= 0) return;
    this.#worst = [...this.#worst, task].toSorted(byFailures).slice(0, MAX_LISTED);
  }
}

/** What a device does follows from the configuration, where the job has set one. */
const byWeight = ['TaskConfigurationId', 'Description'] as const;

/**
 * Whether a task has its former value again, whoever gave it back: its devices then say nothing of the job. Another value than the
 * one that was set is not enough, as an API may write one differently; and one that does not tell a value would have them all undone.
 */
function isUndone({ Former = {}, ...set }: TaskChange & Pick<LedgerRow, 'Former'>, task: OtaTask): boolean {
  const field = byWeight.find((name) => set[name] !== undefined && set[name] !== Former[name]);
  if (field === undefined) return false;
  const former = Former[field] ?? '';
  return former !== '' && task[field] === former;
}

function byFailures(a: WorstTask, b: WorstTask): number {
  return b.failed - a.failed || a.ended - b.ended || a.row - b.row;
}
