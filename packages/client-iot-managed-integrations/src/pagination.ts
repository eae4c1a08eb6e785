import { createPaginator } from '@smithy/core';
import type { PaginationConfiguration, Paginator } from '@smithy/types';
import { IoTManagedIntegrationsClient } from './client.ts';
import {
  ListOtaTaskConfigurationsCommand,
  type ListOtaTaskConfigurationsCommandInput,
  type ListOtaTaskConfigurationsCommandOutput,
  ListOtaTaskExecutionsCommand,
  type ListOtaTaskExecutionsCommandInput,
  type ListOtaTaskExecutionsCommandOutput,
  ListOtaTasksCommand,
  type ListOtaTasksCommandInput,
  type ListOtaTasksCommandOutput,
} from './commands.ts';

export interface IoTManagedIntegrationsPaginationConfiguration extends PaginationConfiguration {
  client: IoTManagedIntegrationsClient;
}

/**
 * Iterates over the pages of ListOtaTasks, with `pageSize` tasks each. Changes `input.NextToken`.
 *
 * @example
 * for await (const { Tasks = [] } of paginateListOtaTasks({ client, pageSize: 1000 }, {})) print(Tasks);
 */
export const paginateListOtaTasks: (
  config: IoTManagedIntegrationsPaginationConfiguration,
  input: ListOtaTasksCommandInput,
  ...rest: unknown[]
) => Paginator<ListOtaTasksCommandOutput> = createPaginator<
  IoTManagedIntegrationsPaginationConfiguration,
  ListOtaTasksCommandInput,
  ListOtaTasksCommandOutput
>(IoTManagedIntegrationsClient, ListOtaTasksCommand, 'NextToken', 'NextToken', 'MaxResults');

/** Iterates over the pages of ListOtaTaskExecutions, with `pageSize` devices each. Changes `input.NextToken`. */
export const paginateListOtaTaskExecutions: (
  config: IoTManagedIntegrationsPaginationConfiguration,
  input: ListOtaTaskExecutionsCommandInput,
  ...rest: unknown[]
) => Paginator<ListOtaTaskExecutionsCommandOutput> = createPaginator<
  IoTManagedIntegrationsPaginationConfiguration,
  ListOtaTaskExecutionsCommandInput,
  ListOtaTaskExecutionsCommandOutput
>(IoTManagedIntegrationsClient, ListOtaTaskExecutionsCommand, 'NextToken', 'NextToken', 'MaxResults');

/** Iterates over the pages of ListOtaTaskConfigurations, with `pageSize` of them each. Changes `input.NextToken`. */
export const paginateListOtaTaskConfigurations: (
  config: IoTManagedIntegrationsPaginationConfiguration,
  input: ListOtaTaskConfigurationsCommandInput,
  ...rest: unknown[]
) => Paginator<ListOtaTaskConfigurationsCommandOutput> = createPaginator<
  IoTManagedIntegrationsPaginationConfiguration,
  ListOtaTaskConfigurationsCommandInput,
  ListOtaTaskConfigurationsCommandOutput
>(IoTManagedIntegrationsClient, ListOtaTaskConfigurationsCommand, 'NextToken', 'NextToken', 'MaxResults');
