import type {
  HostHeaderInputConfig,
  HostHeaderResolvedConfig,
  UserAgentInputConfig,
  UserAgentResolvedConfig,
} from '@aws-sdk/core/client';
import type { DefaultProviderInit } from '@aws-sdk/credential-provider-node';
import type { DefaultsMode, SmithyConfiguration, SmithyResolvedConfiguration } from '@smithy/core/client';
import type { RegionInputConfig, RegionResolvedConfig } from '@smithy/core/config';
import type { EndpointInputConfig, EndpointResolvedConfig } from '@smithy/core/endpoints';
import type { HttpHandlerUserInput } from '@smithy/core/protocols';
import type { RetryInputConfig, RetryResolvedConfig } from '@smithy/core/retry';
import type {
  AwsCredentialIdentityProvider,
  BodyLengthCalculator,
  ChecksumConstructor,
  Decoder,
  Encoder,
  HashConstructor,
  HttpHandlerOptions,
  Logger,
  Provider,
  StreamCollector,
  UrlParser,
  UserAgent,
} from '@smithy/types';
import type { HttpAuthSchemeInputConfig, HttpAuthSchemeResolvedConfig } from './auth.ts';
import type {
  ClientInputEndpointParameters,
  ClientResolvedEndpointParameters,
  EndpointParameters,
} from './endpoint.ts';

/** Settings with a default, as in every AWS SDK client. */
export interface ClientDefaults extends Partial<SmithyConfiguration<HttpHandlerOptions>> {
  /** A handler, or the options of a Node handler. */
  requestHandler?: HttpHandlerUserInput;
  sha256?: ChecksumConstructor | HashConstructor;
  urlParser?: UrlParser;
  bodyLengthChecker?: BodyLengthCalculator;
  streamCollector?: StreamCollector;
  base64Decoder?: Decoder;
  base64Encoder?: Encoder;
  utf8Decoder?: Decoder;
  utf8Encoder?: Encoder;
  runtime?: string;
  disableHostPrefix?: boolean;
  serviceId?: string;
  /** Accepted and without effect: every endpoint of the service is dual-stack. */
  useDualstackEndpoint?: boolean | Provider<boolean>;
  useFipsEndpoint?: boolean | Provider<boolean>;
  region?: string | Provider<string>;
  /** Profile of the shared configuration and credentials files. */
  profile?: string;
  defaultUserAgentProvider?: Provider<UserAgent>;
  credentialDefaultProvider?: (init: DefaultProviderInit) => AwsCredentialIdentityProvider;
  /** Most attempts per `send`; 1 disables the SDK's retries. */
  maxAttempts?: number | Provider<number>;
  retryMode?: string | Provider<string>;
  logger?: Logger;
  defaultsMode?: DefaultsMode | Provider<DefaultsMode>;
}

export type IoTManagedIntegrationsClientConfigType = Partial<SmithyConfiguration<HttpHandlerOptions>> &
  ClientDefaults &
  UserAgentInputConfig &
  RetryInputConfig &
  RegionInputConfig &
  HostHeaderInputConfig &
  EndpointInputConfig<EndpointParameters> &
  HttpAuthSchemeInputConfig &
  ClientInputEndpointParameters;

/** Configuration of a client. All of it is optional, if region and credentials are found elsewhere. */
export interface IoTManagedIntegrationsClientConfig extends IoTManagedIntegrationsClientConfigType {}

export type IoTManagedIntegrationsClientResolvedConfigType = SmithyResolvedConfiguration<HttpHandlerOptions> &
  Required<ClientDefaults> &
  UserAgentResolvedConfig &
  RetryResolvedConfig &
  RegionResolvedConfig &
  HostHeaderResolvedConfig &
  EndpointResolvedConfig<EndpointParameters> &
  HttpAuthSchemeResolvedConfig &
  ClientResolvedEndpointParameters;

/** The complete configuration, with providers for settings that may change. */
export interface IoTManagedIntegrationsClientResolvedConfig
  extends IoTManagedIntegrationsClientResolvedConfigType {}
