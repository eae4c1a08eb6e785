import type { AbortCriteriaAction, AbortCriteriaFailureType } from './models.ts';

/** When a task is to be cancelled: so many percent of the devices that ended have failed. */
export interface AbortConfigCriteria {
  Action?: AbortCriteriaAction | undefined;
  FailureType?: AbortCriteriaFailureType | undefined;
  /** Devices that must have ended before the criterion counts, from 1 to 100. */
  MinNumberOfExecutedThings?: number | undefined;
  /** At most 100. */
  ThresholdPercentage?: number | undefined;
}

export interface OtaTaskAbortConfig {
  AbortConfigCriteriaList?: AbortConfigCriteria[] | undefined;
}

/** When the rate of a roll-out grows. The lower case of the names is the API's. */
export interface RolloutRateIncreaseCriteria {
  /** From 1 to 100. */
  numberOfNotifiedThings?: number | undefined;
  /** From 1 to 100. */
  numberOfSucceededThings?: number | undefined;
}

/** A rate that grows as devices are told, or succeed. */
export interface ExponentialRolloutRate {
  /** Devices per minute at the start, from 1 to 100. */
  BaseRatePerMinute?: number | undefined;
  /** From 1.1 to 5. */
  IncrementFactor?: number | undefined;
  RateIncreaseCriteria?: RolloutRateIncreaseCriteria | undefined;
}

/** How fast devices are told of an update. */
export interface OtaTaskExecutionRolloutConfig {
  ExponentialRolloutRate?: ExponentialRolloutRate | undefined;
  /** Devices per minute at most. */
  MaximumPerMinute?: number | undefined;
}

/** How long a device may take. */
export interface OtaTaskTimeoutConfig {
  /** From 1 to 10,080. */
  InProgressTimeoutInMinutes?: number | undefined;
}

/** What a task configuration says: when to abort, how fast to roll out, when to time out. */
export interface PushConfig {
  AbortConfig?: OtaTaskAbortConfig | undefined;
  RolloutConfig?: OtaTaskExecutionRolloutConfig | undefined;
  TimeoutConfig?: OtaTaskTimeoutConfig | undefined;
}

/** `POST /ota-task-configurations`. The API cannot change a configuration afterwards. */
export interface CreateOtaTaskConfigurationRequest {
  Description?: string | undefined;
  /** Not to be logged: the API's model calls it sensitive. */
  Name?: string | undefined;
  PushConfig?: PushConfig | undefined;
  /** Calls with the same token create one configuration. Default: a random one for each call. */
  ClientToken?: string | undefined;
}

export interface CreateOtaTaskConfigurationResponse {
  TaskConfigurationId?: string | undefined;
}

/** `GET /ota-task-configurations/{Identifier}`. */
export interface GetOtaTaskConfigurationRequest {
  /** Id of the configuration. */
  Identifier: string | undefined;
}

/** One task configuration in full. */
export interface GetOtaTaskConfigurationResponse {
  TaskConfigurationId?: string | undefined;
  /** Not to be logged: the API's model calls it sensitive. */
  Name?: string | undefined;
  PushConfig?: PushConfig | undefined;
  Description?: string | undefined;
  CreatedAt?: Date | undefined;
}

/** `GET /ota-task-configurations`. The API has no filter. */
export interface ListOtaTaskConfigurationsRequest {
  NextToken?: string | undefined;
  /** Configurations per page, from 1 to 1,000. */
  MaxResults?: number | undefined;
}

/** One task configuration in a list. */
export interface OtaTaskConfigurationSummary {
  TaskConfigurationId?: string | undefined;
  /** Not to be logged: the API's model calls it sensitive. */
  Name?: string | undefined;
  CreatedAt?: Date | undefined;
}

/** A page of task configurations; the last one has no `NextToken`. */
export interface ListOtaTaskConfigurationsResponse {
  Items?: OtaTaskConfigurationSummary[] | undefined;
  NextToken?: string | undefined;
}
