import {
  type AwsSdkSigV4AuthInputConfig,
  type AwsSdkSigV4AuthResolvedConfig,
  type AwsSdkSigV4PreviouslyResolved,
  resolveAwsSdkSigV4Config,
} from '@aws-sdk/core/httpAuthSchemes';
import { getSmithyContext, normalizeProvider } from '@smithy/core/client';
import type {
  HandlerExecutionContext,
  HttpAuthScheme,
  HttpAuthSchemeParameters,
  HttpAuthSchemeProvider,
  Provider,
} from '@smithy/types';
import { SIGNING_NAME } from './endpoint.ts';

/** The only authentication scheme of the service. */
export const SIGV4 = 'aws.auth#sigv4';

export interface IoTManagedIntegrationsHttpAuthSchemeParameters extends HttpAuthSchemeParameters {
  region?: string;
}

export type IoTManagedIntegrationsHttpAuthSchemeProvider =
  HttpAuthSchemeProvider<IoTManagedIntegrationsHttpAuthSchemeParameters>;

/** Signing settings, as given. */
export interface HttpAuthSchemeInputConfig extends AwsSdkSigV4AuthInputConfig {
  authSchemePreference?: string[] | Provider<string[]>;
  httpAuthSchemes?: HttpAuthScheme[];
  httpAuthSchemeProvider?: IoTManagedIntegrationsHttpAuthSchemeProvider;
}

/** Signing settings, resolved. */
export interface HttpAuthSchemeResolvedConfig extends AwsSdkSigV4AuthResolvedConfig {
  readonly authSchemePreference: Provider<string[]>;
  readonly httpAuthSchemes: HttpAuthScheme[];
  readonly httpAuthSchemeProvider: IoTManagedIntegrationsHttpAuthSchemeProvider;
}

/** The parameters that select the authentication scheme of a call. */
export async function httpAuthSchemeParameters(
  config: { readonly region: Provider<string> },
  context: HandlerExecutionContext,
): Promise<IoTManagedIntegrationsHttpAuthSchemeParameters> {
  const operation = getSmithyContext(context).operation as string;
  return { operation, region: await config.region() };
}

/** SigV4 in the client's region, for every operation. */
export const defaultHttpAuthSchemeProvider: IoTManagedIntegrationsHttpAuthSchemeProvider = ({ region }) => [
  {
    schemeId: SIGV4,
    signingProperties: { name: SIGNING_NAME, region },
    propertiesExtractor: (config, context) => ({ signingProperties: { config, context } }),
  },
];

/** Fills in the signing settings of a configuration, in place; credentials become a memoised provider. */
export function resolveHttpAuthSchemeConfig<T>(
  config: T & HttpAuthSchemeInputConfig & AwsSdkSigV4PreviouslyResolved,
): T & HttpAuthSchemeResolvedConfig {
  return Object.assign(resolveAwsSdkSigV4Config(config), {
    authSchemePreference: normalizeProvider(config.authSchemePreference ?? []),
  }) as T & HttpAuthSchemeResolvedConfig;
}
