/** Where requests go, from the environment alone: the SDK's own endpoint variables, read by the SDK's rules. PURE. */

type Environment = Readonly<Record<string, string | undefined>>;

/** The SDK's variables that name a service's endpoint. */
export const endpointVariables = {
  sqs: 'AWS_ENDPOINT_URL_SQS',
  api: 'AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS',
  s3: 'AWS_ENDPOINT_URL_S3',
} as const;

/** The SDK's variable for the endpoint of every service that has no variable set for itself. */
export const COMMON_ENDPOINT = 'AWS_ENDPOINT_URL';

/**
 * The endpoint set for a service, or undefined when the region determines it. An `endpoint_url` in the shared
 * configuration file is not seen.
 */
export function customEndpoint(
  env: Environment,
  service: keyof typeof endpointVariables,
): string | undefined {
  if (env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS?.toLowerCase() === 'true') return undefined;
  return env[endpointVariables[service]] || env[COMMON_ENDPOINT] || undefined;
}

/** The domains of AWS's services, for all partitions: the SDK's `partitions`, and its list of 2026. */
const AWS_SUFFIXES: readonly string[] = [
  'amazonaws.com',
  'api.aws',
  'amazonaws.com.cn',
  'api.amazonwebservices.com.cn',
  'amazonaws.eu',
  'api.amazonwebservices.eu',
  'c2s.ic.gov',
  'api.aws.ic.gov',
  'sc2s.sgov.gov',
  'api.aws.scloud',
  'cloud.adc-e.uk',
  'api.cloud-aws.adc-e.uk',
  'csp.hci.ic.gov',
  'api.aws.hci.ic.gov',
];

/**
 * Whether a request to this URL carries tokens and answers to AWS in clear text. False for anything that is not a URL.
 */
export function isClearTextToAws(text: string): boolean {
  const url = URL.parse(text);
  if (url?.protocol !== 'http:') return false;
  return isAwsHost(url.hostname);
}

/** Whether a host belongs to AWS, in any partition. */
export function isAwsHost(hostname: string): boolean {
  const host = hostname.replace(/\.$/, '');
  return AWS_SUFFIXES.some((suffix) => host === suffix || host.endsWith(`.${suffix}`));
}
