/** The SQS client as this service wants it. Only files of this folder import client-sqs. */
import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { noRetries, prepareClient } from '../aws/sdk-client.ts';
import { transport } from '../aws/transport.ts';
import { keepReceivedText } from './raw-answer.ts';

export type { SQSClient, SQSClientConfig };

/**
 * For commands whose output a person reads: without it the SDK warns on stderr, at every request, of a queue URL whose
 * host is not that of its region.
 */
export const silentLogger = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** Environment variables that send SQS requests to another host than the queue URL's. */
const endpointVariables = ['AWS_ENDPOINT_URL_SQS', 'AWS_ENDPOINT_URL'] as const;

/**
 * An SQS client that honours the SDK's own variables (region, credentials, `AWS_ENDPOINT_URL_SQS`).
 * The SDK's retries are off: every caller retries in its own way, and reports that.
 * @param maxSockets connections at most; each long poll holds one.
 * @param env holds the endpoint variables, of which one that is set counts more than the queue URL's host, and the proxies.
 */
export function createSqsClient(
  maxSockets: number,
  overrides: SQSClientConfig = {},
  env: Readonly<Record<string, string | undefined>> = {},
): SQSClient {
  const elsewhere = endpointVariables.some((name) => env[name] !== undefined && env[name] !== '');
  const client = new SQSClient({
    ...transport(maxSockets, env),
    ...noRetries,
    // The SDK throws away the whole answer for one checksum that does not match, also after a send that was accepted.
    md5: false,
    ...(elsewhere && { useQueueUrlAsEndpoint: false }),
    ...overrides,
  });
  prepareClient(client);
  keepReceivedText(client);
  return client;
}
