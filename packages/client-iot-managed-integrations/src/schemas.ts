import { TypeRegistry } from '@smithy/core/schema';
import type {
  $SchemaRef,
  StaticErrorSchema,
  StaticListSchema,
  StaticMapSchema,
  StaticOperationSchema,
  StaticStructureSchema,
} from '@smithy/types';
import {
  AccessDeniedException,
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
const SENSITIVE = 8;
// A new one for each member: the runtime caches on the schema itself.
const pathLabel = (): $SchemaRef => [STRING, 1];

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
modelled.registerError(error('InternalServerException', 'server', 500, ['Message']), InternalServerException);
modelled.registerError(
  error('ResourceNotFoundException', 'client', 404, ['Message', 'ResourceId', 'ResourceType']),
  ResourceNotFoundException,
);
modelled.registerError(error('ThrottlingException', 'client', 429, ['Message']), ThrottlingException);
modelled.registerError(error('ValidationException', 'client', 400, ['Message']), ValidationException);

/** The class for each error code; the base class for codes outside the model. */
export const errorTypeRegistries: TypeRegistry[] = [base, modelled];
