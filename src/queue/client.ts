/** The SQS client as this service wants it. Only files of this folder import client-sqs. */
import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';

export type { SQSClient, SQSClientConfig };

/**
 * An SQS client that honours the SDK's own variables (region, credentials, `AWS_ENDPOINT_URL_SQS`).
 * The SDK's retries are off: every caller here has its own way of trying again, and says so in its log.
 * @param maxSockets connections at most; each long poll holds one.
 */
export function createSqsClient(maxSockets: number, overrides: SQSClientConfig = {}): SQSClient {
  return new SQSClient({
    requestHandler: {
      // Deadlines are ours, per request and down to the last byte (see Queue); these two only open sockets.
      httpAgent: { maxSockets, keepAlive: true },
      httpsAgent: { maxSockets, keepAlive: true },
    },
    maxAttempts: 1,
    ...overrides,
  });
}
