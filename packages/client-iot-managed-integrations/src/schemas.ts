import { TypeRegistry } from '@smithy/core/schema';
import type {
  $SchemaRef,
  StaticErrorSchema,
  StaticListSchema,
  StaticMapSchema,
  StaticOperationSchema,
  StaticSimpleSchema,
  StaticStructureSchema,
} from '@smithy/types';
import {
  AccessDeniedException,
  ConflictException,
  InternalServerException,
  IoTManagedIntegrationsServiceException,
  ResourceNotFoundException,
  ThrottlingException,
  ValidationException,
} from './exceptions.ts';

// The protocol serialises and parses by these. The SDK's static schemas are tuples that begin with the kind of shape:
// 1 list, 2 map, 3 structure, -3 error, 9 operation.

/** Namespace of the service's shapes and error codes. */
export const NAMESPACE = 'com.amazonaws.iotmanagedintegrations';
const SYNTHETIC_NAMESPACE = `smithy.ts.sdk.synthetic.${NAMESPACE}`;

const STRING = 0;
const NUMBER = 1;
const TIMESTAMP = 4;
const STRINGS = 64;
const IDEMPOTENCY_TOKEN = 4;
const SENSITIVE = 8;
// A new one for each member: the runtime caches on the schema itself.
const pathLabel = (): $SchemaRef => [STRING, 1];

// Filled in by the runtime when it is absent. As above, a new one for each member.
const clientToken = (): $SchemaRef => [STRING, IDEMPOTENCY_TOKEN];

const structure = (name: string, members: Record<string, $SchemaRef>): StaticStructureSchema => [
  3,
  NAMESPACE,
  name,
  0,
  Object.keys(members),
  Object.values(members),
];
const list = (name: string, member: $SchemaRef): StaticListSchema => [1, NAMESPACE, name, 0, member];

const TagsMap: StaticMapSchema = [2, NAMESPACE, 'TagsMap', SENSITIVE, STRING, STRING];

const ScheduleMaintenanceWindow$ = structure('ScheduleMaintenanceWindow', {
  DurationInMinutes: NUMBER,
  StartTime: STRING,
});

const OtaTaskSchedulingConfig$ = structure('OtaTaskSchedulingConfig', {
  EndBehavior: STRING,
  EndTime: STRING,
  MaintenanceWindows: list('ScheduleMaintenanceWindowList', ScheduleMaintenanceWindow$),
  StartTime: STRING,
});

const RetryConfigCriteria$ = structure('RetryConfigCriteria', {
  FailureType: STRING,
  MinNumberOfRetries: NUMBER,
});

const OtaTaskExecutionRetryConfig$ = structure('OtaTaskExecutionRetryConfig', {
  RetryConfigCriteria: list('RetryConfigCriteriaList', RetryConfigCriteria$),
});

const TaskProcessingDetails$ = structure('TaskProcessingDetails', {
  NumberOfCanceledThings: NUMBER,
  NumberOfFailedThings: NUMBER,
  NumberOfInProgressThings: NUMBER,
  numberOfQueuedThings: NUMBER,
  numberOfRejectedThings: NUMBER,
  numberOfRemovedThings: NUMBER,
  numberOfSucceededThings: NUMBER,
  numberOfTimedOutThings: NUMBER,
  processingTargets: STRINGS,
});

const UpdateOtaTaskRequest$ = structure('UpdateOtaTaskRequest', {
  Identifier: pathLabel(),
  Description: STRING,
  TaskConfigurationId: STRING,
});

const GetOtaTaskRequest$ = structure('GetOtaTaskRequest', { Identifier: pathLabel() });

const GetOtaTaskResponse$ = structure('GetOtaTaskResponse', {
  TaskId: STRING,
  TaskArn: STRING,
  Description: STRING,
  S3Url: STRING,
  Protocol: STRING,
  OtaType: STRING,
  OtaTargetQueryString: STRING,
  OtaMechanism: STRING,
  Target: STRINGS,
  CreatedAt: TIMESTAMP,
  LastUpdatedAt: TIMESTAMP,
  TaskConfigurationId: STRING,
  TaskProcessingDetails: TaskProcessingDetails$,
  OtaSchedulingConfig: OtaTaskSchedulingConfig$,
  OtaTaskExecutionRetryConfig: OtaTaskExecutionRetryConfig$,
  Status: STRING,
  Tags: [TagsMap, 0],
});

const ListOtaTasksRequest$ = structure('ListOtaTasksRequest', {
  NextToken: [STRING, { httpQuery: 'NextToken' }],
  MaxResults: [NUMBER, { httpQuery: 'MaxResults' }],
});

const OtaTaskSummary$ = structure('OtaTaskSummary', {
  TaskId: STRING,
  TaskArn: STRING,
  CreatedAt: TIMESTAMP,
  LastUpdatedAt: TIMESTAMP,
  TaskConfigurationId: STRING,
  Status: STRING,
});

const ListOtaTasksResponse$ = structure('ListOtaTasksResponse', {
  Tasks: list('OtaTaskListDefinition', OtaTaskSummary$),
  NextToken: STRING,
});

const ListOtaTaskExecutionsRequest$ = structure('ListOtaTaskExecutionsRequest', {
  Identifier: pathLabel(),
  NextToken: [STRING, { httpQuery: 'NextToken' }],
  MaxResults: [NUMBER, { httpQuery: 'MaxResults' }],
});

const OtaTaskExecutionSummaries$ = structure('OtaTaskExecutionSummaries', {
  TaskExecutionSummary: structure('OtaTaskExecutionSummary', {
    ExecutionNumber: NUMBER,
    LastUpdatedAt: TIMESTAMP,
    QueuedAt: TIMESTAMP,
    RetryAttempt: NUMBER,
    StartedAt: TIMESTAMP,
    Status: STRING,
  }),
  ManagedThingId: STRING,
});

const ListOtaTaskExecutionsResponse$ = structure('ListOtaTaskExecutionsResponse', {
  ExecutionSummaries: list('OtaTaskExecutionSummariesListDefinition', OtaTaskExecutionSummaries$),
  NextToken: STRING,
});

const OtaTaskConfigurationName: StaticSimpleSchema = [
  0,
  NAMESPACE,
  'OtaTaskConfigurationName',
  SENSITIVE,
  STRING,
];
const configurationName = (): $SchemaRef => [OtaTaskConfigurationName, 0];

const AbortConfigCriteria$ = structure('AbortConfigCriteria', {
  Action: STRING,
  FailureType: STRING,
  MinNumberOfExecutedThings: NUMBER,
  ThresholdPercentage: NUMBER,
});

const PushConfig$ = structure('PushConfig', {
  AbortConfig: structure('OtaTaskAbortConfig', {
    AbortConfigCriteriaList: list('AbortConfigCriteriaList', AbortConfigCriteria$),
  }),
  RolloutConfig: structure('OtaTaskExecutionRolloutConfig', {
    ExponentialRolloutRate: structure('ExponentialRolloutRate', {
      BaseRatePerMinute: NUMBER,
      IncrementFactor: NUMBER,
      RateIncreaseCriteria: structure('RolloutRateIncreaseCriteria', {
        numberOfNotifiedThings: NUMBER,
        numberOfSucceededThings: NUMBER,
      }),
    }),
    MaximumPerMinute: NUMBER,
  }),
  TimeoutConfig: structure('OtaTaskTimeoutConfig', { InProgressTimeoutInMinutes: NUMBER }),
});

const CreateOtaTaskConfigurationRequest$ = structure('CreateOtaTaskConfigurationRequest', {
  Description: STRING,
  Name: configurationName(),
  PushConfig: PushConfig$,
  ClientToken: clientToken(),
});

const CreateOtaTaskConfigurationResponse$ = structure('CreateOtaTaskConfigurationResponse', {
  TaskConfigurationId: STRING,
});

const GetOtaTaskConfigurationRequest$ = structure('GetOtaTaskConfigurationRequest', {
  Identifier: pathLabel(),
});

const GetOtaTaskConfigurationResponse$ = structure('GetOtaTaskConfigurationResponse', {
  TaskConfigurationId: STRING,
  Name: configurationName(),
  PushConfig: PushConfig$,
  Description: STRING,
  CreatedAt: TIMESTAMP,
});

const ListOtaTaskConfigurationsRequest$ = structure('ListOtaTaskConfigurationsRequest', {
  NextToken: [STRING, { httpQuery: 'NextToken' }],
  MaxResults: [NUMBER, { httpQuery: 'MaxResults' }],
});

const OtaTaskConfigurationSummary$ = structure('OtaTaskConfigurationSummary', {
  TaskConfigurationId: STRING,
  Name: configurationName(),
  CreatedAt: TIMESTAMP,
});

const ListOtaTaskConfigurationsResponse$ = structure('ListOtaTaskConfigurationsResponse', {
  Items: list('OtaTaskConfigurationListDefinition', OtaTaskConfigurationSummary$),
  NextToken: STRING,
});

const operation = (
  name: string,
  http: [method: string, path: string, status: number],
  input: StaticStructureSchema,
  output: StaticStructureSchema | 'unit',
): StaticOperationSchema => [9, NAMESPACE, name, { http }, input, output];

/** `PUT /ota-tasks/{Identifier}`, answered by 204 without a body. */
export const UpdateOtaTask$ = operation(
  'UpdateOtaTask',
  ['PUT', '/ota-tasks/{Identifier}', 204],
  UpdateOtaTaskRequest$,
  'unit',
);

/** `GET /ota-tasks/{Identifier}`. */
export const GetOtaTask$ = operation(
  'GetOtaTask',
  ['GET', '/ota-tasks/{Identifier}', 200],
  GetOtaTaskRequest$,
  GetOtaTaskResponse$,
);

/** `GET /ota-tasks`. */
export const ListOtaTasks$ = operation(
  'ListOtaTasks',
  ['GET', '/ota-tasks', 200],
  ListOtaTasksRequest$,
  ListOtaTasksResponse$,
);

/** `GET /ota-tasks/{Identifier}/devices`. */
export const ListOtaTaskExecutions$ = operation(
  'ListOtaTaskExecutions',
  ['GET', '/ota-tasks/{Identifier}/devices', 200],
  ListOtaTaskExecutionsRequest$,
  ListOtaTaskExecutionsResponse$,
);

/** `POST /ota-task-configurations`, answered by 201. */
export const CreateOtaTaskConfiguration$ = operation(
  'CreateOtaTaskConfiguration',
  ['POST', '/ota-task-configurations', 201],
  CreateOtaTaskConfigurationRequest$,
  CreateOtaTaskConfigurationResponse$,
);

/** `GET /ota-task-configurations/{Identifier}`. */
export const GetOtaTaskConfiguration$ = operation(
  'GetOtaTaskConfiguration',
  ['GET', '/ota-task-configurations/{Identifier}', 200],
  GetOtaTaskConfigurationRequest$,
  GetOtaTaskConfigurationResponse$,
);

/** `GET /ota-task-configurations`. */
export const ListOtaTaskConfigurations$ = operation(
  'ListOtaTaskConfigurations',
  ['GET', '/ota-task-configurations', 200],
  ListOtaTaskConfigurationsRequest$,
  ListOtaTaskConfigurationsResponse$,
);

const error = (
  name: string,
  fault: 'client' | 'server',
  httpError: number,
  names: string[],
): StaticErrorSchema => [-3, NAMESPACE, name, { error: fault, httpError }, names, names.map(() => STRING)];

const base = new TypeRegistry(SYNTHETIC_NAMESPACE);
base.registerError(
  [-3, SYNTHETIC_NAMESPACE, 'IoTManagedIntegrationsServiceException', 0, [], []],
  IoTManagedIntegrationsServiceException,
);

const modelled = new TypeRegistry(NAMESPACE);
modelled.registerError(error('AccessDeniedException', 'client', 403, ['Message']), AccessDeniedException);
modelled.registerError(error('ConflictException', 'client', 409, ['Message']), ConflictException);
modelled.registerError(error('InternalServerException', 'server', 500, ['Message']), InternalServerException);
modelled.registerError(
  error('ResourceNotFoundException', 'client', 404, ['Message', 'ResourceId', 'ResourceType']),
  ResourceNotFoundException,
);
modelled.registerError(error('ThrottlingException', 'client', 429, ['Message']), ThrottlingException);
modelled.registerError(error('ValidationException', 'client', 400, ['Message']), ValidationException);

/** The class for each error code; the base class for codes outside the model. */
export const errorTypeRegistries: TypeRegistry[] = [base, modelled];
