/** What happened to the devices behind a job's tasks, summed row by row in bounded memory. PURE. */
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

/** A task that no longer has the value that the job set. */
export interface ChangedTask {
  readonly row: number;
  readonly identifier: string;
  readonly field: string;
  /** The value that the job set. */
  readonly set: string;
  /** The task's present value; '' for none. */
  readonly now: string;
}

/** A device that did not take the update. */
export interface FailedDevice {
  readonly identifier: string;
  readonly thing: string;
  readonly state: DeviceState;
}

export interface Verification {
  /** When the look began; epoch milliseconds. */
  readonly at: number;
  /** Whether every existing task of the job was read; false if interrupted. */
  readonly whole: boolean;
  /** Tasks that were read. In an enqueued job, a task that several rows name counts once per row. */
  readonly tasks: number;
  readonly devices: DeviceCounts;
  /** A few tasks with the most failed devices, worst first. */
  readonly worst: readonly WorstTask[];
  /** A few devices that failed, if devices were asked individually. */
  readonly failedDevices: readonly FailedDevice[];
  /** Tasks that no longer have the value that the job set, and a few of them. */
  readonly notHolding: number;
  readonly someNotHolding: readonly ChangedTask[];
  /** Tasks that no longer exist. */
  readonly gone: number;
  /** Tasks that could not be read, and why the last of them could not, as a phrase. */
  readonly unread: number;
  readonly unreadWhy: string | undefined;
}

/** Further figures for the rules of a job that is being sent. */
export interface JudgedVerification extends Verification {
  /** Devices of the rows that rules judge, except where the task has its former configuration again. */
  readonly judged: JudgedDevices;
  /** Devices of the rows of the present stage. A task that has its former configuration again counts as naming no device. */
  readonly stage: StageDevices;
}

/** Length limit of each list in a verification. */
const MAX_LISTED = 10;

const none = countsOf(() => 0);

/** For the rules of a running job. @param progress the progress when the look began. */
export function seenDevices(
  { at, devices, judged, stage }: JudgedVerification,
  { waitsFor, since }: Pick<StageProgress, 'waitsFor' | 'since'>,
): SeenDevices {
  const ends = { ...deviceEnds(devices), underWay: underWay(devices) };
  return { at, ...(waitsFor === 'verify' && { inWait: since }), ...ends, judged, stage };
}

/** Whether no device is still to end: tasks that could not be read may have such devices. */
export function hasEnded({ devices, whole }: Verification): boolean {
  return whole && underWay(devices) === 0;
}

/** Which rows count, by the time they were sent. Rows whose time is unknown count only if no rows are excluded. */
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
   * @param at when the look began; epoch milliseconds. @param counted which rows are judged, and which belong to the stage.
   */
  constructor(at: number, { stageAfter = -1, judgedAfter = 0 }: CountedRows = {}) {
    this.#at = at;
    this.#stageAfter = stageAfter;
    this.#judged = { after: judgedAfter, ended: 0, failed: 0 };
  }

  /**
   * @param answer the API's answer about the row's task.
   * @param devices the task's devices, if counted one by one; otherwise the task's own counts are used.
   * @param why why it could not be read, as a phrase, if it could not.
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

  /** Adds a device that failed; only the first few are kept. */
  addFailedDevice(device: FailedDevice): void {
    if (this.#failedDevices.length < MAX_LISTED) this.#failedDevices.push(device);
  }

  /** @param whole whether every existing task was included. */
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

  /** Orders by failed devices, then by their share, then by row. */
  #rank(task: WorstTask): void {
    const last = this.#worst.at(-1);
    if (this.#worst.length === MAX_LISTED && last !== undefined && byFailures(last, task) <= 0) return;
    this.#worst = [...this.#worst, task].toSorted(byFailures).slice(0, MAX_LISTED);
  }
}

/** The configuration determines what a device does, if the job has set one. */
const byWeight = ['TaskConfigurationId', 'Description'] as const;

/**
 * Whether a task has its former value again, whoever restored it: its devices then say nothing about the job. It is not enough that
 * the value differs from the one that was set: an API may write a value differently, and if it omits values, all would look undone.
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
