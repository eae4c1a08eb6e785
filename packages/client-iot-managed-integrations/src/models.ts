/** State of an OTA task. Only the API moves a task from one to another. */
export const OtaStatus = {
  CANCELED: 'CANCELED',
  COMPLETED: 'COMPLETED',
  DELETION_IN_PROGRESS: 'DELETION_IN_PROGRESS',
  IN_PROGRESS: 'IN_PROGRESS',
  SCHEDULED: 'SCHEDULED',
} as const;
export type OtaStatus = (typeof OtaStatus)[keyof typeof OtaStatus];

/** How devices fetch the update. */
export const OtaProtocol = { HTTP: 'HTTP' } as const;
export type OtaProtocol = (typeof OtaProtocol)[keyof typeof OtaProtocol];

/** Whether a task ends, or also includes devices that join its target later. */
export const OtaType = { CONTINUOUS: 'CONTINUOUS', ONE_TIME: 'ONE_TIME' } as const;
export type OtaType = (typeof OtaType)[keyof typeof OtaType];

/** How the update reaches devices. */
export const OtaMechanism = { PUSH: 'PUSH' } as const;
export type OtaMechanism = (typeof OtaMechanism)[keyof typeof OtaMechanism];

/** What happens to executions still running at a task's end time. */
export const SchedulingConfigEndBehavior = {
  CANCEL: 'CANCEL',
  FORCE_CANCEL: 'FORCE_CANCEL',
  STOP_ROLLOUT: 'STOP_ROLLOUT',
} as const;
export type SchedulingConfigEndBehavior =
  (typeof SchedulingConfigEndBehavior)[keyof typeof SchedulingConfigEndBehavior];

/** Which failures of a device are retried. */
export const RetryCriteriaFailureType = { ALL: 'ALL', FAILED: 'FAILED', TIMED_OUT: 'TIMED_OUT' } as const;
export type RetryCriteriaFailureType =
  (typeof RetryCriteriaFailureType)[keyof typeof RetryCriteriaFailureType];

/** State of the update on one device. */
export const OtaTaskExecutionStatus = {
  CANCELED: 'CANCELED',
  FAILED: 'FAILED',
  IN_PROGRESS: 'IN_PROGRESS',
  QUEUED: 'QUEUED',
  REJECTED: 'REJECTED',
  REMOVED: 'REMOVED',
  SUCCEEDED: 'SUCCEEDED',
  TIMED_OUT: 'TIMED_OUT',
} as const;
export type OtaTaskExecutionStatus = (typeof OtaTaskExecutionStatus)[keyof typeof OtaTaskExecutionStatus];

/** What a task does when one of its abort criteria is met. */
export const AbortCriteriaAction = { CANCEL: 'CANCEL' } as const;
export type AbortCriteriaAction = (typeof AbortCriteriaAction)[keyof typeof AbortCriteriaAction];

/** Which failures of devices an abort criterion counts. */
export const AbortCriteriaFailureType = {
  ALL: 'ALL',
  FAILED: 'FAILED',
  REJECTED: 'REJECTED',
  TIMED_OUT: 'TIMED_OUT',
} as const;
export type AbortCriteriaFailureType =
  (typeof AbortCriteriaFailureType)[keyof typeof AbortCriteriaFailureType];

/** A window in which devices may be updated. */
export interface ScheduleMaintenanceWindow {
  DurationInMinutes?: number | undefined;
  StartTime?: string | undefined;
}

/** When a task starts, ends and may run. Times are strings, as the API has them. */
export interface OtaTaskSchedulingConfig {
  EndBehavior?: SchedulingConfigEndBehavior | undefined;
  EndTime?: string | undefined;
  MaintenanceWindows?: ScheduleMaintenanceWindow[] | undefined;
  StartTime?: string | undefined;
}

/** Retries of one kind of device failure. */
export interface RetryConfigCriteria {
  FailureType?: RetryCriteriaFailureType | undefined;
  MinNumberOfRetries?: number | undefined;
}

/** Retries on devices; nothing to do with retries of API calls. */
export interface OtaTaskExecutionRetryConfig {
  RetryConfigCriteria?: RetryConfigCriteria[] | undefined;
}

/** Devices of a task counted by state. The mixed case of the names is the API's. */
export interface TaskProcessingDetails {
  NumberOfCanceledThings?: number | undefined;
  NumberOfFailedThings?: number | undefined;
  NumberOfInProgressThings?: number | undefined;
  numberOfQueuedThings?: number | undefined;
  numberOfRejectedThings?: number | undefined;
  numberOfRemovedThings?: number | undefined;
  numberOfSucceededThings?: number | undefined;
  numberOfTimedOutThings?: number | undefined;
  processingTargets?: string[] | undefined;
}

/**
 * `PUT /ota-tasks/{Identifier}`. Other keys are dropped. Length and pattern of values are not checked before sending: an
 * empty `Identifier` is sent as `PUT /ota-tasks/`.
 */
export interface UpdateOtaTaskRequest {
  /** Id of the task. The type allows `undefined`, as in every AWS client; the call then throws. */
  Identifier: string | undefined;
  Description?: string | undefined;
  TaskConfigurationId?: string | undefined;
}

/** `GET /ota-tasks/{Identifier}`. */
export interface GetOtaTaskRequest {
  /** Id of the task. */
  Identifier: string | undefined;
}

/** One OTA task in full. */
export interface GetOtaTaskResponse {
  TaskId?: string | undefined;
  TaskArn?: string | undefined;
  Description?: string | undefined;
  S3Url?: string | undefined;
  Protocol?: OtaProtocol | undefined;
  OtaType?: OtaType | undefined;
  OtaTargetQueryString?: string | undefined;
  OtaMechanism?: OtaMechanism | undefined;
  Target?: string[] | undefined;
  CreatedAt?: Date | undefined;
  LastUpdatedAt?: Date | undefined;
  TaskConfigurationId?: string | undefined;
  TaskProcessingDetails?: TaskProcessingDetails | undefined;
  OtaSchedulingConfig?: OtaTaskSchedulingConfig | undefined;
  OtaTaskExecutionRetryConfig?: OtaTaskExecutionRetryConfig | undefined;
  Status?: OtaStatus | undefined;
  Tags?: Record<string, string> | undefined;
}

/** `GET /ota-tasks`. The API has no filter. */
export interface ListOtaTasksRequest {
  NextToken?: string | undefined;
  /** Tasks per page, from 1 to 1,000. */
  MaxResults?: number | undefined;
}

/** One OTA task in a list. */
export interface OtaTaskSummary {
  TaskId?: string | undefined;
  TaskArn?: string | undefined;
  CreatedAt?: Date | undefined;
  LastUpdatedAt?: Date | undefined;
  TaskConfigurationId?: string | undefined;
  Status?: OtaStatus | undefined;
}

/** A page of tasks; the last one has no `NextToken`. */
export interface ListOtaTasksResponse {
  Tasks?: OtaTaskSummary[] | undefined;
  NextToken?: string | undefined;
}

/** `GET /ota-tasks/{Identifier}/devices`. */
export interface ListOtaTaskExecutionsRequest {
  /** Id of the task. */
  Identifier: string | undefined;
  NextToken?: string | undefined;
  /** Executions per page, from 1 to 1,000. */
  MaxResults?: number | undefined;
}

/** How far one device is. */
export interface OtaTaskExecutionSummary {
  ExecutionNumber?: number | undefined;
  LastUpdatedAt?: Date | undefined;
  QueuedAt?: Date | undefined;
  RetryAttempt?: number | undefined;
  StartedAt?: Date | undefined;
  Status?: OtaTaskExecutionStatus | undefined;
}

/** One device of a task. The plural is the API's. */
export interface OtaTaskExecutionSummaries {
  TaskExecutionSummary?: OtaTaskExecutionSummary | undefined;
  ManagedThingId?: string | undefined;
}

/** A page of executions; the last one has no `NextToken`. */
export interface ListOtaTaskExecutionsResponse {
  ExecutionSummaries?: OtaTaskExecutionSummaries[] | undefined;
  NextToken?: string | undefined;
}
