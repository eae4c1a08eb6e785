import { EndpointError, partition } from '@aws-sdk/core/client';
import { EndpointCache } from '@smithy/core/endpoints';
import type {
  Endpoint,
  EndpointV2,
  Logger,
  Provider,
  EndpointParameters as SmithyEndpointParameters,
} from '@smithy/types';

/** Name that requests are signed for. */
export const SIGNING_NAME = 'iotmanagedintegrations';

/** Settings that determine the endpoint. */
export interface ClientInputEndpointParameters {
  useFipsEndpoint?: boolean | undefined | Provider<boolean | undefined>;
  endpoint?: string | Provider<string> | Endpoint | Provider<Endpoint> | EndpointV2 | Provider<EndpointV2>;
  region?: string | undefined | Provider<string | undefined>;
}

export type ClientResolvedEndpointParameters = Omit<ClientInputEndpointParameters, 'endpoint'> & {
  defaultSigningName: string;
};

/** Parameters of the endpoint rules. Without `useDualstackEndpoint`: every endpoint is dual-stack. */
export interface EndpointParameters extends SmithyEndpointParameters {
  UseFIPS?: boolean | undefined;
  Endpoint?: string | undefined;
  Region?: string | undefined;
}

/** Sources of the endpoint parameters, for every command. */
export const endpointParameterInstructions = {
  UseFIPS: { type: 'builtInParams', name: 'useFipsEndpoint' },
  Endpoint: { type: 'builtInParams', name: 'endpoint' },
  Region: { type: 'builtInParams', name: 'region' },
} as const;

/** Fills in the endpoint settings of a configuration, in place. */
export function resolveClientEndpointParameters<T>(
  config: T & ClientInputEndpointParameters,
): T & ClientResolvedEndpointParameters {
  return Object.assign(config, {
    useFipsEndpoint: config.useFipsEndpoint ?? false,
    defaultSigningName: SIGNING_NAME,
  });
}

function resolve({ Endpoint, Region, UseFIPS }: EndpointParameters): EndpointV2 {
  return { url: new URL(endpointUrl(Endpoint, Region, UseFIPS === true)), properties: {}, headers: {} };
}

function endpointUrl(custom: string | undefined, region: string | undefined, fips: boolean): string {
  if (custom !== undefined) {
    if (!fips) return custom;
    throw new EndpointError('Invalid Configuration: FIPS and custom endpoint are not supported');
  }
  if (region === undefined) throw new EndpointError('Invalid Configuration: Missing Region');
  return `https://api.iotmanagedintegrations${fips ? '-fips' : ''}.${region}.${partition(region).dualStackDnsSuffix}`;
}

// Resolved once per set of parameters, not once per call.
const cache = new EndpointCache({ size: 50, params: ['Endpoint', 'Region', 'UseFIPS'] });

/**
 * The service's endpoint rules. A custom endpoint is used unchanged, with its base path.
 * @throws EndpointError for FIPS with a custom endpoint, and for a missing region.
 */
export function defaultEndpointResolver(
  parameters: EndpointParameters,
  _context: { logger?: Logger } = {},
): EndpointV2 {
  return cache.get(parameters as Record<string, string | boolean>, () => resolve(parameters));
}
