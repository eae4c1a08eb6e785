/** Where requests to the API go, from the environment alone. */
import { customEndpoint } from '../aws/endpoints.ts';
import type { Environment } from '../config.ts';

/** The API's address. */
export interface ApiEndpoint {
  readonly url: string;
  /** Set by a variable, so that the region does not choose it. */
  readonly custom: boolean;
  readonly fips: boolean;
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
