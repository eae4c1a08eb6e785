import { makeBuilder } from '@smithy/core/client';
import { getEndpointPlugin } from '@smithy/core/endpoints';
import type { MetadataBearer, StaticOperationSchema } from '@smithy/types';
import type { IoTManagedIntegrationsClientResolvedConfig } from './config.ts';
import type {
  CreateOtaTaskConfigurationRequest,
  CreateOtaTaskConfigurationResponse,
  GetOtaTaskConfigurationRequest,
  GetOtaTaskConfigurationResponse,
  ListOtaTaskConfigurationsRequest,
  ListOtaTaskConfigurationsResponse,
} from './configuration-models.ts';
import { endpointParameterInstructions } from './endpoint.ts';
import type {
  GetOtaTaskRequest,
  GetOtaTaskResponse,
  ListOtaTaskExecutionsRequest,
  ListOtaTaskExecutionsResponse,
  ListOtaTasksRequest,
  ListOtaTasksResponse,
  UpdateOtaTaskRequest,
} from './models.ts';
import {
  CreateOtaTaskConfiguration$,
  GetOtaTask$,
  GetOtaTaskConfiguration$,
  ListOtaTaskConfigurations$,
  ListOtaTaskExecutions$,
  ListOtaTasks$,
  UpdateOtaTask$,
} from './schemas.ts';

export interface UpdateOtaTaskCommandInput extends UpdateOtaTaskRequest {}
export interface UpdateOtaTaskCommandOutput extends MetadataBearer {}
export interface GetOtaTaskCommandInput extends GetOtaTaskRequest {}
export interface GetOtaTaskCommandOutput extends GetOtaTaskResponse, MetadataBearer {}
export interface ListOtaTasksCommandInput extends ListOtaTasksRequest {}
export interface ListOtaTasksCommandOutput extends ListOtaTasksResponse, MetadataBearer {}
export interface ListOtaTaskExecutionsCommandInput extends ListOtaTaskExecutionsRequest {}
export interface ListOtaTaskExecutionsCommandOutput extends ListOtaTaskExecutionsResponse, MetadataBearer {}
export interface CreateOtaTaskConfigurationCommandInput extends CreateOtaTaskConfigurationRequest {}
export interface CreateOtaTaskConfigurationCommandOutput
  extends CreateOtaTaskConfigurationResponse,
    MetadataBearer {}
export interface GetOtaTaskConfigurationCommandInput extends GetOtaTaskConfigurationRequest {}
export interface GetOtaTaskConfigurationCommandOutput
  extends GetOtaTaskConfigurationResponse,
    MetadataBearer {}
export interface ListOtaTaskConfigurationsCommandInput extends ListOtaTaskConfigurationsRequest {}
export interface ListOtaTaskConfigurationsCommandOutput
  extends ListOtaTaskConfigurationsResponse,
    MetadataBearer {}

/** Every input of the client. */
export type ServiceInputTypes =
  | UpdateOtaTaskCommandInput
  | GetOtaTaskCommandInput
  | ListOtaTasksCommandInput
  | ListOtaTaskExecutionsCommandInput
  | CreateOtaTaskConfigurationCommandInput
  | GetOtaTaskConfigurationCommandInput
  | ListOtaTaskConfigurationsCommandInput;
/** Every output of the client. */
export type ServiceOutputTypes =
  | UpdateOtaTaskCommandOutput
  | GetOtaTaskCommandOutput
  | ListOtaTasksCommandOutput
  | ListOtaTaskExecutionsCommandOutput
  | CreateOtaTaskConfigurationCommandOutput
  | GetOtaTaskConfigurationCommandOutput
  | ListOtaTaskConfigurationsCommandOutput;

const build = makeBuilder<IoTManagedIntegrationsClientResolvedConfig, ServiceInputTypes, ServiceOutputTypes>(
  endpointParameterInstructions,
  'IotManagedIntegrations',
  'IoTManagedIntegrationsClient',
  getEndpointPlugin,
);

const command = <I extends ServiceInputTypes, O extends ServiceOutputTypes>(
  name: string,
  schema: StaticOperationSchema,
) => build<I, O>({}, () => [], name, schema);

/**
 * Updates the description or the configuration of an OTA task. The output carries `$metadata` only.
 *
 * Throws AccessDeniedException, InternalServerException, ResourceNotFoundException, ThrottlingException,
 * ValidationException, or the base exception for any other code; a SyntaxError for an answer that is not JSON.
 *
 * @example
 * await client.send(new UpdateOtaTaskCommand({ Identifier: 'task-1', Description: 'Nightly firmware' }));
 */
export class UpdateOtaTaskCommand extends command<UpdateOtaTaskCommandInput, UpdateOtaTaskCommandOutput>(
  'UpdateOtaTask',
  UpdateOtaTask$,
) {}

/** Reads one OTA task. Throws as {@link UpdateOtaTaskCommand} does. */
export class GetOtaTaskCommand extends command<GetOtaTaskCommandInput, GetOtaTaskCommandOutput>(
  'GetOtaTask',
  GetOtaTask$,
) {}

/** Reads a page of OTA tasks. Throws as {@link UpdateOtaTaskCommand} does. */
export class ListOtaTasksCommand extends command<ListOtaTasksCommandInput, ListOtaTasksCommandOutput>(
  'ListOtaTasks',
  ListOtaTasks$,
) {}

/** Reads a page of a task's executions: its devices. Throws as {@link UpdateOtaTaskCommand} does. */
export class ListOtaTaskExecutionsCommand extends command<
  ListOtaTaskExecutionsCommandInput,
  ListOtaTaskExecutionsCommandOutput
>('ListOtaTaskExecutions', ListOtaTaskExecutions$) {}

/** Creates a task configuration. Throws as {@link UpdateOtaTaskCommand} does, and ConflictException. */
export class CreateOtaTaskConfigurationCommand extends command<
  CreateOtaTaskConfigurationCommandInput,
  CreateOtaTaskConfigurationCommandOutput
>('CreateOtaTaskConfiguration', CreateOtaTaskConfiguration$) {}

/** Reads one task configuration. Throws as {@link UpdateOtaTaskCommand} does. */
export class GetOtaTaskConfigurationCommand extends command<
  GetOtaTaskConfigurationCommandInput,
  GetOtaTaskConfigurationCommandOutput
>('GetOtaTaskConfiguration', GetOtaTaskConfiguration$) {}

/** Reads a page of task configurations. Throws as {@link UpdateOtaTaskCommand} does. */
export class ListOtaTaskConfigurationsCommand extends command<
  ListOtaTaskConfigurationsCommandInput,
  ListOtaTaskConfigurationsCommandOutput
>('ListOtaTaskConfigurations', ListOtaTaskConfigurations$) {}
