/** The SQS client as this service wants it. Only files of this folder import client-sqs. */
import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { clientDefaults, prepareClient } from '../aws/sdk-client.ts';
import { transport } from '../aws/transport.ts';
import { chooseHosts, keepReceivedText } from './middleware.ts';

export type { SQSClient, SQSClientConfig };

/**
 * An SQS client that honours the SDK's own variables (region, credentials, `AWS_ENDPOINT_URL_SQS`, FIPS, dual-stack).
 * The SDK's retries are off: every caller retries in its own way, and reports that.
 * @param maxSockets connections at most; each long poll holds one.
 * @param env for the variables of proxies.
 */
export function createSqsClient(
  maxSockets: number,
  overrides: SQSClientConfig = {},
  env: Readonly<Record<string, string | undefined>> = {},
): SQSClient {
  const client = new SQSClient({
    ...transport(maxSockets, env),
    ...clientDefaults,
    // The SDK throws away the whole answer for one checksum that does not match, also after a send that was accepted.
    md5: false,
    useQueueUrlAsEndpoint: false,
    ...overrides,
  });
  prepareClient(client);
  chooseHosts(client);
  keepReceivedText(client);
  return client;
}
