/**
 * The API's answers in the form that the program uses. PURE. A field that an answer lacks, or has in another type, is absent.
 * Texts are untrusted: not safe to print unescaped.
 */
import { z } from 'zod';
import { countsOf, type DeviceCounts, type DeviceState, deviceStates } from '../message/devices.ts';

/** The fields of a task that updates change or select by. */
export interface OtaTask {
  readonly TaskId?: string;
  readonly Description?: string;
  readonly TaskConfigurationId?: string;
  readonly Status?: string;
  /** Only in the answer about a single task. */
  readonly LastUpdatedAt?: Date;
  /** `TaskProcessingDetails`; only in the answer about a single task. */
  readonly devices?: DeviceCounts;
}

export interface OtaTaskPage {
  readonly tasks: readonly OtaTask[];
  /** Absent on the last page. */
  readonly nextToken?: string;
}

/** One device of a task. */
export interface Execution {
  readonly thing?: string;
  /** undefined for a state unknown to this program. */
  readonly state?: DeviceState;
  readonly retryAttempt?: number;
  readonly lastUpdatedAt?: Date;
}

export interface ExecutionPage {
  readonly executions: readonly Execution[];
  /** Absent on the last page. */
  readonly nextToken?: string;
}

export function toTask(answer: object): OtaTask {
  const { TaskId, Description, TaskConfigurationId, Status } = answer as Record<string, unknown>;
  return {
    ...(typeof TaskId === 'string' && { TaskId }),
    ...(typeof Description === 'string' && { Description }),
    ...(typeof TaskConfigurationId === 'string' && { TaskConfigurationId }),
    ...(typeof Status === 'string' && { Status }),
  };
}

/** The fields that only the answer about a single task has. */
export function toDetails(answer: object): Pick<OtaTask, 'LastUpdatedAt' | 'devices'> {
  const { LastUpdatedAt, TaskProcessingDetails } = answer as Record<string, unknown>;
  const at = toDate(LastUpdatedAt);
  return {
    ...(at !== undefined && { LastUpdatedAt: at }),
    ...(isRecord(TaskProcessingDetails) && { devices: toDevices(TaskProcessingDetails) }),
  };
}

// The API itself mixes upper and lower case.
const countNames: Readonly<Record<DeviceState, string>> = {
  queued: 'numberOfQueuedThings',
  'in-progress': 'NumberOfInProgressThings',
  succeeded: 'numberOfSucceededThings',
  failed: 'NumberOfFailedThings',
  'timed-out': 'numberOfTimedOutThings',
  rejected: 'numberOfRejectedThings',
  removed: 'numberOfRemovedThings',
  canceled: 'NumberOfCanceledThings',
};

function toDevices(details: Readonly<Record<string, unknown>>): DeviceCounts {
  const count = (state: DeviceState): number => {
    const value = details[countNames[state]];
    return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
  };
  return countsOf(count);
}

export function toExecution(answer: object): Execution {
  const { ManagedThingId, TaskExecutionSummary } = answer as Record<string, unknown>;
  const summary = isRecord(TaskExecutionSummary) ? TaskExecutionSummary : {};
  const { Status, RetryAttempt, LastUpdatedAt } = summary;
  const at = toDate(LastUpdatedAt);
  // `TIMED_OUT` becomes `timed-out`.
  const word = typeof Status === 'string' ? Status.toLowerCase().replaceAll('_', '-') : '';
  const state = deviceStates.find((known) => known === word);
  return {
    ...(typeof ManagedThingId === 'string' && { thing: ManagedThingId }),
    ...(state !== undefined && { state }),
    ...(typeof RetryAttempt === 'number' && { retryAttempt: RetryAttempt }),
    ...(at !== undefined && { lastUpdatedAt: at }),
  };
}

/** `{ nextToken }`, if there is another page. */
export function nextOf(token: unknown): { readonly nextToken?: string } {
  return typeof token === 'string' && token !== '' ? { nextToken: token } : {};
}

const text = z.string().optional().catch(undefined);
const number = z.number().optional().catch(undefined);

const abortCriterion = z.object({
  Action: text,
  FailureType: text,
  MinNumberOfExecutedThings: number,
  ThresholdPercentage: number,
});

const pushConfig = z.object({
  AbortConfig: z
    .object({ AbortConfigCriteriaList: z.array(abortCriterion).optional().catch(undefined) })
    .optional()
    .catch(undefined),
  RolloutConfig: z
    .object({
      ExponentialRolloutRate: z
        .object({
          BaseRatePerMinute: number,
          IncrementFactor: number,
          RateIncreaseCriteria: z
            .object({ numberOfNotifiedThings: number, numberOfSucceededThings: number })
            .optional()
            .catch(undefined),
        })
        .optional()
        .catch(undefined),
      MaximumPerMinute: number,
    })
    .optional()
    .catch(undefined),
  TimeoutConfig: z.object({ InProgressTimeoutInMinutes: number }).optional().catch(undefined),
});

const configuration = z.object({
  TaskConfigurationId: text,
  Name: text,
  Description: text,
  CreatedAt: z.date().optional().catch(undefined),
  PushConfig: pushConfig.optional().catch(undefined),
});

/** A task configuration. In a list it has no `Description` and no `PushConfig`. */
export type OtaConfiguration = Readonly<z.output<typeof configuration>>;

export interface OtaConfigurationPage {
  readonly configurations: readonly OtaConfiguration[];
  /** Absent on the last page. */
  readonly nextToken?: string;
}

export function toConfiguration(answer: object): OtaConfiguration {
  return configuration.parse(answer);
}

function toDate(value: unknown): Date | undefined {
  return value instanceof Date && !Number.isNaN(value.getTime()) ? value : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
