import { createPaginator } from '@smithy/core';
import type { PaginationConfiguration, Paginator } from '@smithy/types';
import { IoTManagedIntegrationsClient } from './client.ts';
import {
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
