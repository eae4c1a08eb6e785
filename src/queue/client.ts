/** The SQS client, configured for this service. Only files in this folder import client-sqs. */
import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { clientDefaults, prepareClient } from '../aws/sdk-client.ts';
import { transport } from '../aws/transport.ts';
import { chooseHosts, keepReceivedText } from './middleware.ts';

export type { SQSClient, SQSClientConfig };

/**
 * An SQS client that honours the SDK's own variables (region, credentials, `AWS_ENDPOINT_URL_SQS`, FIPS, dual-stack).
 * The SDK's retries are off: every caller retries in its own way, and reports that.
 * @param maxSockets the most connections; each long poll holds one.
 * @param env for the proxy variables.
 */
export function createSqsClient(
  maxSockets: number,
  overrides: SQSClientConfig = {},
  env: Readonly<Record<string, string | undefined>> = {},
): SQSClient {
  const client = new SQSClient({
    ...transport(maxSockets, env),
    ...clientDefaults,
    // The SDK discards the whole answer for a single checksum mismatch, even after a send that was accepted.
    md5: false,
    useQueueUrlAsEndpoint: false,
    ...overrides,
  });
  prepareClient(client);
  chooseHosts(client);
  keepReceivedText(client);
  return client;
}
