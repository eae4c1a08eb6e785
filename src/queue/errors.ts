/** What a failed SQS request means: whether to try again, and how to say it. */
import { printable } from '../text/printable.ts';

/** The system's codes, undici's (`UND_ERR_SOCKET`) and its parser's (`HPE_INVALID_CONSTANT`). */
const TRANSIENT_CODES = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST|ENET|EADDR|UND_ERR|HPE)/;
/** Of undici's, those that say we asked for what it cannot do. */
const OUR_FAULT = /^UND_ERR_(INVALID_ARG|NOT_SUPPORTED)$/;
const TRANSIENT_NAMES =
  /Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|OverLimit|^TimeoutError$|RequestTimeout|^HTTPParserError$/;

/** Whether the same request may succeed later: no connection, no answer in time, throttled, or SQS's own fault. */
export function isTransient(error: unknown): boolean {
  const { name, status, code } = facts(error);
  // The code first: an answer cut short has a status, and it says nothing.
  if (TRANSIENT_NAMES.test(name) || ofTheConnection(code)) return true;
  return status !== undefined && (status >= 500 || status === 429 || status === 408);
}

function ofTheConnection(code = ''): boolean {
  return TRANSIENT_CODES.test(code) && !OUR_FAULT.test(code);
}

const NEVER_ARRIVED = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOST|ENET|EADDR|UND_ERR_CONNECT_TIMEOUT)/;

/** Whether a request that failed so may have been carried out all the same: its answer was lost, or never came. */
export function mayHaveArrived(error: unknown): boolean {
  if (!isTransient(error)) return false;
  const { status, code } = facts(error);
  if (status !== undefined) return status >= 500 || ofTheConnection(code);
  return !NEVER_ARRIVED.test(code ?? '');
}

/** What a sentence about a failed request can name as the place to mend it. */
export interface RequestHints {
  /** Where the queue's URL comes from. */
  readonly setting: string;
  /** What the credentials must allow. */
  readonly permission: string;
}

const sending: RequestHints = { setting: '--queue-url (or QUEUE_URL)', permission: 'sqs:SendMessage' };

/** One sentence, without its full stop, that says what failed and how to mend it. */
export function explainSqsError(error: unknown, queueUrl: string, hints: RequestHints = sending): string {
  const { name, message, code } = facts(error);
  const queue = printableUrl(queueUrl);
  const said = `${name}: ${printable(message)}`;
  if (/QueueDoesNotExist|NonExistentQueue/.test(name))
    return `there is no queue ${queue}: check ${hints.setting} and the region`;
  if (/AccessDenied/.test(name))
    return `access to ${queue} is denied: the credentials need ${hints.permission} on it (${said})`;
  if (/CredentialsProvider/.test(name))
    return 'no AWS credentials were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';
  if (/Token|Signature|UnrecognizedClient|InvalidAccessKey|AuthFailure|OptInRequired/.test(name))
    return `AWS does not accept the credentials (${said})`;
  if (message.includes('Region is missing')) return 'no AWS region is set: set AWS_REGION';
  if (name === 'TimeoutError' || name === 'HTTPParserError' || ofTheConnection(code))
    return `SQS cannot be reached for ${queue} (${printable(message) || code})`;
  return `SQS answered ${said}`;
}

const QUEUE = Symbol('queue');

/** The same error, with the queue that its request was for; the SDK's do not say. Not shown where errors are logged. */
export function blameQueue(error: unknown, queueUrl: string | undefined): unknown {
  if (typeof error === 'object' && error !== null && Object.isExtensible(error))
    Object.defineProperty(error, QUEUE, { value: queueUrl, configurable: true });
  return error;
}

/** The URL of the queue that a failed request was for. */
export function failedQueue(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  return (error as { readonly [QUEUE]?: string })[QUEUE];
}

/** A queue's URL, fit to print: without a password. */
export function printableUrl(text: string): string {
  const url = new URL(text);
  url.username = '';
  url.password = '';
  return printable(url.href);
}

interface ErrorFacts {
  readonly name: string;
  readonly message: string;
  readonly status: number | undefined;
  /** The system's own code of the error (`ECONNREFUSED`). */
  readonly code: string | undefined;
}

function facts(error: unknown): ErrorFacts {
  if (!(error instanceof Error))
    return { name: 'Error', message: String(error), status: undefined, code: undefined };
  const { $metadata, code } = error as { $metadata?: { httpStatusCode?: number }; code?: unknown };
  return {
    name: error.name,
    message: error.message,
    status: $metadata?.httpStatusCode,
    code: typeof code === 'string' ? code : undefined,
  };
}
