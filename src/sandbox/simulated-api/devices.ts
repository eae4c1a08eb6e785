/**
 * The devices behind each task: the state of each, from the time since the task's configuration was set. Nothing is stored;
 * everything is computed. PURE.
 */
import { z } from 'zod';
import { fractionOf } from './hash.ts';

const seconds = z.number().min(0).max(86_400);

/** How devices apply an update. Those of a task that was never updated have all succeeded. */
export const Devices = z.strictObject({
  /** Devices of each task. */
  perTask: z.number().int().min(0).max(10_000).default(10),
  /** Time from the update until the last device of the task has succeeded; devices end one by one at even intervals. */
  takeSeconds: seconds.default(20),
  /** Configurations with which a share of all devices fails, a given number of seconds after the update. */
  failures: z
    .array(
      z.strictObject({
        configuration: z.string().min(1),
        share: z.number().min(0).max(1),
        afterSeconds: seconds,
      }),
    )
    .default([]),
});
export type DeviceSettings = z.output<typeof Devices>;

/** The facts about a task that determine its devices. */
export interface DeviceFacts {
  readonly identifier: string;
  readonly configuration: string;
  /** When the configuration was set, epoch milliseconds; null: never. */
  readonly configuredAtMs: number | null;
  /** When the task was made. */
  readonly createdAtMs: number;
}

type DeviceStatus = 'QUEUED' | 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED';

/** An execution as in the answer of ListOtaTaskExecutions; times in epoch seconds. */
export interface SimulatedExecution {
  readonly ManagedThingId: string;
  readonly TaskExecutionSummary: {
    readonly ExecutionNumber: number;
    readonly QueuedAt: number;
    readonly StartedAt?: number;
    readonly LastUpdatedAt: number;
    readonly RetryAttempt: number;
    readonly Status: DeviceStatus;
  };
}

/** `TaskProcessingDetails` as in the answer of GetOtaTask. */
export function processingDetails(settings: DeviceSettings, facts: DeviceFacts, nowMs: number): object {
  const counts = { QUEUED: 0, IN_PROGRESS: 0, SUCCEEDED: 0, FAILED: 0 };
  for (let i = 0; i < settings.perTask; i += 1) counts[courseOf(settings, facts, i).statusAt(nowMs)] += 1;
  return {
    NumberOfCanceledThings: 0,
    NumberOfFailedThings: counts.FAILED,
    NumberOfInProgressThings: counts.IN_PROGRESS,
    numberOfQueuedThings: counts.QUEUED,
    numberOfRejectedThings: 0,
    numberOfRemovedThings: 0,
    numberOfSucceededThings: counts.SUCCEEDED,
    numberOfTimedOutThings: 0,
  };
}

/** Up to `count` devices of a task, from number `start` on. */
export function executions(
  settings: DeviceSettings,
  facts: DeviceFacts,
  nowMs: number,
  start: number,
  count: number,
): SimulatedExecution[] {
  const end = Math.min(settings.perTask, start + count);
  return Array.from({ length: Math.max(0, end - start) }, (_, offset) => {
    const course = courseOf(settings, facts, start + offset);
    const Status = course.statusAt(nowMs);
    const hasStarted = Status !== 'QUEUED';
    const hasEnded = hasStarted && Status !== 'IN_PROGRESS';
    const changedMs = hasEnded ? course.endMs : hasStarted ? course.startMs : course.queuedMs;
    return {
      ManagedThingId: `${facts.identifier.slice(0, 50)}-${start + offset + 1}`,
      TaskExecutionSummary: {
        ExecutionNumber: 1,
        QueuedAt: course.queuedMs / 1_000,
        ...(hasStarted && { StartedAt: course.startMs / 1_000 }),
        LastUpdatedAt: changedMs / 1_000,
        RetryAttempt: 0,
        Status,
      },
    };
  });
}

interface Course {
  readonly queuedMs: number;
  readonly startMs: number;
  readonly endMs: number;
  statusAt(nowMs: number): DeviceStatus;
}

function courseOf(
  { perTask, takeSeconds, failures }: DeviceSettings,
  facts: DeviceFacts,
  index: number,
): Course {
  const { identifier, configuration, configuredAtMs, createdAtMs } = facts;
  const queuedMs = configuredAtMs ?? createdAtMs;
  const failure =
    configuredAtMs === null ? undefined : failures.find((known) => known.configuration === configuration);
  const fails = failure !== undefined && fractionOf(`${identifier}/${index}`) < failure.share;
  const takesMs = fails ? failure.afterSeconds * 1_000 : (takeSeconds * 1_000 * (index + 1)) / perTask;
  const startMs = queuedMs + takesMs / 2;
  const endMs = queuedMs + takesMs;
  return {
    queuedMs,
    startMs,
    endMs,
    statusAt: (nowMs) => {
      // At any time: these devices existed before the sandbox.
      if (configuredAtMs === null) return 'SUCCEEDED';
      if (nowMs >= endMs) return fails ? 'FAILED' : 'SUCCEEDED';
      return nowMs >= startMs ? 'IN_PROGRESS' : 'QUEUED';
    },
  };
}
