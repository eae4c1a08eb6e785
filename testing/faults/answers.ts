/** Requests and answers as the proxy in front of an HTTP service reads and changes them. PURE. */
import type { IncomingMessage } from 'node:http';
import type { FaultKind } from './faults.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Seconds that a receive waits for messages. */
export function waitOf(body: string): number {
  return (JSON.parse(body) as { WaitTimeSeconds?: number }).WaitTimeSeconds ?? 0;
}

/** The same receive without the wait. */
export function shortPoll(body: string): string {
  return JSON.stringify({ ...(JSON.parse(body) as object), WaitTimeSeconds: 0 });
}

/** Whether a receive is complete: it has messages, or has failed. */
export function bringsMessages({ status, body }: Answer): boolean {
  return status !== 200 || body.includes('"ReceiptHandle"');
}

/** Whether a fault that only SQS has can happen to a request. */
export function concerns(fault: FaultKind, action: string): boolean {
  if (fault === 'entries') return action.endsWith('Batch');
  if (fault === 'checksum') return action === 'ReceiveMessage' || action === 'SendMessageBatch';
  return true;
}

/** The headers without those about the connection. */
export function headersOf({
  headers,
}: Pick<Answer, 'headers'>): Record<string, string | string[] | undefined> {
  const { connection: _, 'keep-alive': __, 'transfer-encoding': ___, ...rest } = headers;
  return rest;
}

/** The answer with another body. */
export function withBody(answer: Answer, body: string): Answer {
  const { 'content-length': _, ...headers } = answer.headers;
  return { ...answer, headers, body };
}
