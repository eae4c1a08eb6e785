import {
  getHostHeaderPlugin,
  getLoggerPlugin,
  getRecursionDetectionPlugin,
  getUserAgentPlugin,
  resolveHostHeaderConfig,
  resolveUserAgentConfig,
} from '@aws-sdk/core/client';
import {
  DefaultIdentityProviderConfig,
  getHttpAuthSchemeEndpointRuleSetPlugin,
  getHttpSigningPlugin,
} from '@smithy/core';
import { Client } from '@smithy/core/client';
import { resolveRegionConfig } from '@smithy/core/config';
import { resolveEndpointConfig } from '@smithy/core/endpoints';
import { getContentLengthPlugin } from '@smithy/core/protocols';
import { getRetryPlugin, resolveRetryConfig } from '@smithy/core/retry';
import { getSchemaSerdePlugin } from '@smithy/core/schema';
import type { CheckOptionalClientConfig, HttpHandlerOptions } from '@smithy/types';
import { httpAuthSchemeParameters, resolveHttpAuthSchemeConfig, SIGV4 } from './auth.ts';
import type { ServiceInputTypes, ServiceOutputTypes } from './commands.ts';
import type {
  IoTManagedIntegrationsClientConfig,
  IoTManagedIntegrationsClientResolvedConfig,
} from './config.ts';
import { withDefaults } from './defaults.ts';
import { resolveClientEndpointParameters } from './endpoint.ts';

/**
 * Client for the OTA tasks of AWS IoT Managed Integrations. Region, credentials and endpoint come from the
 * configuration, else from the environment and the shared files, as with every AWS SDK client. They are resolved at the
 * first call, which fails without them. `destroy()` closes idle connections, including those of a handler that was passed
 * in.
 *
 * @example
 * const client = new IoTManagedIntegrationsClient({ region: 'eu-west-1', maxAttempts: 1 });
 * const { Status } = await client.send(new GetOtaTaskCommand({ Identifier: 'task-1' }));
 */
export class IoTManagedIntegrationsClient extends Client<
  HttpHandlerOptions,
  ServiceInputTypes,
  ServiceOutputTypes,
  IoTManagedIntegrationsClientResolvedConfig
> {
  constructor(...[configuration]: CheckOptionalClientConfig<IoTManagedIntegrationsClientConfig>) {
    super(resolveConfig(configuration ?? {}));
    const { config, middlewareStack } = this;
    middlewareStack.use(getSchemaSerdePlugin(config));
    middlewareStack.use(getUserAgentPlugin(config));
    middlewareStack.use(getRetryPlugin(config));
    middlewareStack.use(getContentLengthPlugin(config));
    middlewareStack.use(getHostHeaderPlugin(config));
    middlewareStack.use(getLoggerPlugin(config));
    middlewareStack.use(getRecursionDetectionPlugin(config));
    middlewareStack.use(
      getHttpAuthSchemeEndpointRuleSetPlugin(config, {
        httpAuthSchemeParametersProvider: httpAuthSchemeParameters,
        identityProviderConfigProvider: async ({ credentials }: IoTManagedIntegrationsClientResolvedConfig) =>
          new DefaultIdentityProviderConfig({ [SIGV4]: credentials }),
      }),
    );
    middlewareStack.use(getHttpSigningPlugin(config));
  }
}

// Each step adds to the same configuration object, in the order of the SDK's own clients.
function resolveConfig(
  configuration: IoTManagedIntegrationsClientConfig,
): IoTManagedIntegrationsClientResolvedConfig {
  const withEndpointParameters = resolveClientEndpointParameters(withDefaults(configuration));
  const withRetries = resolveRetryConfig(resolveUserAgentConfig(withEndpointParameters));
  const withHost = resolveHostHeaderConfig(resolveRegionConfig(withRetries));
  const resolved = resolveHttpAuthSchemeConfig(resolveEndpointConfig(withHost));
  // `protocol` may still be a class here: the constructor of `Client` makes an instance of it.
  return resolved as IoTManagedIntegrationsClientResolvedConfig;
}
