/** Where requests go, from the environment alone: the SDK's own endpoint variables, read as the SDK reads them. */
import type { Environment } from '../config.ts';

/** The SDK's variables that name a service's endpoint. */
export const endpointVariables = {
  sqs: 'AWS_ENDPOINT_URL_SQS',
  api: 'AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS',
} as const;

/** The API's address. */
export interface ApiEndpoint {
  readonly url: string;
  /** Set by a variable, so that the region does not choose it. */
  readonly custom: boolean;
  readonly fips: boolean;
}

/**
 * The endpoint set for a service, or undefined when the region chooses it. An `endpoint_url` in the shared
 * configuration file is not seen.
 */
export function customEndpoint(
  env: Environment,
  service: keyof typeof endpointVariables,
): string | undefined {
  if (env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS?.toLowerCase() === 'true') return undefined;
  return env[endpointVariables[service]] || env.AWS_ENDPOINT_URL || undefined;
}

/** Where calls to the API go by the service's endpoint rules. */
export function apiEndpoint(env: Environment, region: string): ApiEndpoint {
  const fips = env.AWS_USE_FIPS_ENDPOINT === 'true';
  const custom = customEndpoint(env, 'api');
  if (custom !== undefined) return { url: custom, custom: true, fips };
  return {
    url: `https://api.iotmanagedintegrations${fips ? '-fips' : ''}.${region}.api.aws`,
    custom: false,
    fips,
  };
}
