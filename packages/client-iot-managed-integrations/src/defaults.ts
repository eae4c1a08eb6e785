import {
  createDefaultUserAgentProvider,
  getDefaultSocketTimeout,
  NODE_APP_ID_CONFIG_OPTIONS,
} from '@aws-sdk/core/client';
import { AwsSdkSigV4Signer, NODE_AUTH_SCHEME_PREFERENCE_OPTIONS } from '@aws-sdk/core/httpAuthSchemes';
import { AwsRestJsonProtocol } from '@aws-sdk/core/protocols';
import { defaultProvider as credentialDefaultProvider } from '@aws-sdk/credential-provider-node';
import { Sha256 } from '@smithy/core/checksum';
import { loadConfigsForDefaultMode, NoOpLogger } from '@smithy/core/client';
import {
  loadConfig,
  NODE_REGION_CONFIG_FILE_OPTIONS,
  NODE_REGION_CONFIG_OPTIONS,
  NODE_USE_DUALSTACK_ENDPOINT_CONFIG_OPTIONS,
  NODE_USE_FIPS_ENDPOINT_CONFIG_OPTIONS,
  resolveDefaultsModeConfig,
} from '@smithy/core/config';
import { getHttpHandlerExtensionConfiguration, parseUrl } from '@smithy/core/protocols';
import {
  DEFAULT_RETRY_MODE,
  NODE_MAX_ATTEMPT_CONFIG_OPTIONS,
  NODE_RETRY_MODE_CONFIG_OPTIONS,
} from '@smithy/core/retry';
import { calculateBodyLength, fromBase64, fromUtf8, toBase64, toUtf8 } from '@smithy/core/serde';
import { NodeHttpHandler, streamCollector } from '@smithy/node-http-handler';
import type { HttpAuthScheme, Logger, NodeHttpHandlerOptions, Provider } from '@smithy/types';
import packageInfo from '../package.json' with { type: 'json' };
import { defaultHttpAuthSchemeProvider, SIGV4 } from './auth.ts';
import type { IoTManagedIntegrationsClientConfig } from './config.ts';
import { defaultEndpointResolver } from './endpoint.ts';
import { errorTypeRegistries, NAMESPACE } from './schemas.ts';

/** Names the client in `user-agent`, and in the variable and profile key of its endpoint. */
const SERVICE_ID = 'IoT Managed Integrations';
const API_VERSION = '2025-03-03';
/** With AWS_ENABLE_DEFAULT_SOCKET_TIMEOUT_2026 only. */
const DEFAULT_SOCKET_TIMEOUT_MS = 900_000;

/**
 * Completes a configuration from the environment, then the shared configuration files, then the SDK's defaults. These
 * are read when first needed, not here.
 */
export function withDefaults(config: IoTManagedIntegrationsClientConfig) {
  const defaultsMode = resolveDefaultsModeConfig(config);
  const modeDefaults = () => defaultsMode().then(loadConfigsForDefaultMode);
  const logger = config.logger ?? new NoOpLogger();
  const serviceId = config.serviceId ?? SERVICE_ID;
  const source = config.profile === undefined ? { logger } : { profile: config.profile, logger };
  return {
    ...constants(config),
    ...config,
    logger,
    serviceId,
    runtime: 'node',
    defaultsMode,
    authSchemePreference:
      config.authSchemePreference ?? loadConfig(NODE_AUTH_SCHEME_PREFERENCE_OPTIONS, source),
    bodyLengthChecker: config.bodyLengthChecker ?? calculateBodyLength,
    credentialDefaultProvider: config.credentialDefaultProvider ?? credentialDefaultProvider,
    defaultUserAgentProvider:
      config.defaultUserAgentProvider ??
      createDefaultUserAgentProvider({ serviceId, clientVersion: packageInfo.version }),
    maxAttempts: config.maxAttempts ?? loadConfig(NODE_MAX_ATTEMPT_CONFIG_OPTIONS, config),
    region:
      config.region ??
      loadConfig(NODE_REGION_CONFIG_OPTIONS, { ...NODE_REGION_CONFIG_FILE_OPTIONS, ...source }),
    requestHandler: requestHandler(config, logger, modeDefaults),
    retryMode:
      config.retryMode ??
      loadConfig(
        {
          ...NODE_RETRY_MODE_CONFIG_OPTIONS,
          default: async () => (await modeDefaults()).retryMode || DEFAULT_RETRY_MODE,
        },
        config,
      ),
    streamCollector: config.streamCollector ?? streamCollector,
    useDualstackEndpoint:
      config.useDualstackEndpoint ?? loadConfig(NODE_USE_DUALSTACK_ENDPOINT_CONFIG_OPTIONS, source),
    useFipsEndpoint: config.useFipsEndpoint ?? loadConfig(NODE_USE_FIPS_ENDPOINT_CONFIG_OPTIONS, source),
    userAgentAppId: config.userAgentAppId ?? loadConfig(NODE_APP_ID_CONFIG_OPTIONS, source),
  };
}

/** Settings that neither environment nor files change. */
function constants(config: IoTManagedIntegrationsClientConfig) {
  return {
    apiVersion: API_VERSION,
    base64Decoder: config.base64Decoder ?? fromBase64,
    base64Encoder: config.base64Encoder ?? toBase64,
    disableHostPrefix: config.disableHostPrefix ?? false,
    endpointProvider: config.endpointProvider ?? defaultEndpointResolver,
    httpAuthSchemeProvider: config.httpAuthSchemeProvider ?? defaultHttpAuthSchemeProvider,
    httpAuthSchemes: config.httpAuthSchemes ?? [sigV4()],
    protocol: config.protocol ?? AwsRestJsonProtocol,
    protocolSettings: config.protocolSettings ?? {
      defaultNamespace: NAMESPACE,
      errorTypeRegistries,
      version: API_VERSION,
      serviceTarget: 'IotManagedIntegrations',
    },
    sha256: config.sha256 ?? Sha256,
    urlParser: config.urlParser ?? parseUrl,
    utf8Decoder: config.utf8Decoder ?? fromUtf8,
    utf8Encoder: config.utf8Encoder ?? toUtf8,
  };
}

function requestHandler(
  config: IoTManagedIntegrationsClientConfig,
  logger: Logger,
  modeDefaults: Provider<NodeHttpHandlerOptions>,
) {
  const handler = NodeHttpHandler.create(config.requestHandler ?? modeDefaults);
  const defaultSocketTimeout = getDefaultSocketTimeout(config.requestHandler, DEFAULT_SOCKET_TIMEOUT_MS);
  // Called for its side effect: the handler's warnings then go to the logger, not to the console.
  getHttpHandlerExtensionConfiguration({
    requestHandler: handler,
    logger,
    ...(defaultSocketTimeout === undefined ? {} : { defaultSocketTimeout }),
  });
  return handler;
}

function sigV4(): HttpAuthScheme {
  return {
    schemeId: SIGV4,
    identityProvider: (identities) => identities.getIdentityProvider(SIGV4),
    signer: new AwsSdkSigV4Signer(),
  };
}
