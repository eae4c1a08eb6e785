/** The SQS client as this service wants it. Only files of this folder import client-sqs. */
import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { endWithTheCall, NEAREST_TO_THE_WIRE } from '../aws/open-call.ts';
import { socketsAtMost, unburden } from '../aws/sdk-client.ts';

export type { SQSClient, SQSClientConfig };

/**
 * Left to itself the SDK warns on stderr, request by request, of any queue URL that is not its region's own: for
 * commands whose output a user reads.
 */
export const silentLogger = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** Environment variables that send SQS requests elsewhere than to the queue URL's host. */
const endpointVariables = ['AWS_ENDPOINT_URL_SQS', 'AWS_ENDPOINT_URL'] as const;

/**
 * An SQS client that honours the SDK's own variables (region, credentials, `AWS_ENDPOINT_URL_SQS`).
 * The SDK's retries are off: every caller here has its own way of trying again, and says so in its log.
 * @param maxSockets connections at most; each long poll holds one.
 * @param env where the endpoint variables are looked for: when one is set, it wins over the queue URL's host.
 */
export function createSqsClient(
  maxSockets: number,
  overrides: SQSClientConfig = {},
  env: Readonly<Record<string, string | undefined>> = {},
): SQSClient {
  const elsewhere = endpointVariables.some((name) => env[name] !== undefined && env[name] !== '');
  const client = new SQSClient({
    requestHandler: socketsAtMost(maxSockets),
    maxAttempts: 1,
    ...(elsewhere && { useQueueUrlAsEndpoint: false }),
    ...overrides,
  });
  unburden(client);
  const { requestHandler } = client.config;
  client.middlewareStack.add(
    endWithTheCall((request, call) => requestHandler.handle(request, call)),
    NEAREST_TO_THE_WIRE,
  );
  return client;
}
