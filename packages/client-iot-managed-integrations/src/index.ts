/** The operations on OTA tasks of AWS's own client for IoT Managed Integrations, under the same names. */
export { Command as $Command } from '@smithy/core/client';
export * from './client.ts';
export {
  CreateOtaTaskConfigurationCommand,
  type CreateOtaTaskConfigurationCommandInput,
  type CreateOtaTaskConfigurationCommandOutput,
  GetOtaTaskCommand,
  type GetOtaTaskCommandInput,
  type GetOtaTaskCommandOutput,
  GetOtaTaskConfigurationCommand,
  type GetOtaTaskConfigurationCommandInput,
  type GetOtaTaskConfigurationCommandOutput,
  ListOtaTaskConfigurationsCommand,
  type ListOtaTaskConfigurationsCommandInput,
  type ListOtaTaskConfigurationsCommandOutput,
  ListOtaTaskExecutionsCommand,
  type ListOtaTaskExecutionsCommandInput,
  type ListOtaTaskExecutionsCommandOutput,
  ListOtaTasksCommand,
  type ListOtaTasksCommandInput,
  type ListOtaTasksCommandOutput,
  type ServiceInputTypes,
  type ServiceOutputTypes,
  UpdateOtaTaskCommand,
  type UpdateOtaTaskCommandInput,
  type UpdateOtaTaskCommandOutput,
} from './commands.ts';
export type {
  ClientDefaults,
  IoTManagedIntegrationsClientConfig,
  IoTManagedIntegrationsClientConfigType,
  IoTManagedIntegrationsClientResolvedConfig,
  IoTManagedIntegrationsClientResolvedConfigType,
} from './config.ts';
export * from './configuration-models.ts';
export type { ClientInputEndpointParameters } from './endpoint.ts';
export * from './exceptions.ts';
export * from './models.ts';
export * from './pagination.ts';
