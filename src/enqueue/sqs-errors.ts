/** What a failed send request means: whether to try again, and how to say it. */
import { errorCode } from './faults.ts';
import { printable } from './printable.ts';

const TRANSIENT_CODES = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST|ENET|EADDR)/;
const TRANSIENT_NAMES =
  /Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|OverLimit|^TimeoutError$|RequestTimeout/;

/** Whether the same request may succeed later: no connection, no answer in time, throttled, or SQS's own fault. */
export function isTransient(error: unknown): boolean {
  const { name, status } = facts(error);
  if (TRANSIENT_NAMES.test(name)) return true;
  if (status !== undefined) return status >= 500 || status === 429 || status === 408;
  return TRANSIENT_CODES.test(errorCode(error) ?? '');
}

const NEVER_ARRIVED = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOST|ENET|EADDR)/;

/** Whether a request that failed so may have been carried out all the same: its answer was lost, or never came. */
export function mayHaveArrived(error: unknown): boolean {
  if (!isTransient(error)) return false;
  const { status } = facts(error);
  if (status !== undefined) return status >= 500;
  return !NEVER_ARRIVED.test(errorCode(error) ?? '');
}

/** How a sentence names what the user gave, and what the credentials need. */
export interface QueueWords {
  readonly variable: string;
  readonly action: string;
}

const sendingWords: QueueWords = { variable: '--queue-url (or QUEUE_URL)', action: 'sqs:SendMessage' };

/** One sentence, without its full stop, that says what failed and how to mend it. */
export function explainSqsError(
  error: unknown,
  queueUrl: string,
  { variable, action }: QueueWords = sendingWords,
): string {
  const { name, message, status } = facts(error);
  const queue = printableUrl(queueUrl);
  const said = `${name}: ${printable(message)}`;
  const code = errorCode(error);
  if (/QueueDoesNotExist|NonExistentQueue/.test(name))
    return `there is no queue ${queue}: check ${variable} and the region`;
  if (/AccessDenied/.test(name))
    return `access to ${queue} is denied: the credentials need ${action} on it (${said})`;
  if (/CredentialsProvider/.test(name))
    return 'no AWS credentials were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';
  if (/Token|Signature|UnrecognizedClient|InvalidAccessKey|AuthFailure|OptInRequired/.test(name))
    return `AWS does not accept the credentials (${said})`;
  if (message.includes('Region is missing')) return 'no AWS region is set: set AWS_REGION';
  if (status === undefined && (name === 'TimeoutError' || TRANSIENT_CODES.test(code ?? '')))
    return `SQS cannot be reached for ${queue} (${printable(message) || code})`;
  return `SQS answered ${said}`;
}

/** A queue's URL, fit to print: without a password. */
export function printableUrl(text: string): string {
  const url = new URL(text);
  url.username = '';
  url.password = '';
  return printable(url.href);
}

function facts(error: unknown): { name: string; message: string; status: number | undefined } {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), status: undefined };
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  return { name: error.name, message: error.message, status: $metadata?.httpStatusCode };
}
