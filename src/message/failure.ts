/**
 * Classifies failed calls by tables: by error name first, then by HTTP status, because AWS sends some errors, throttling among
 * them, with different statuses (ARCHITECTURE.md, Failures). PURE.
 */

import {
  type AwsErrorKind,
  awsErrorKind,
  isConnectionCode,
  isUnsendable,
  neverConnected,
} from '../aws/errors.ts';
import { remoteName, remoteStack, remoteText } from '../text/remote.ts';
import { parseHttpDate } from '../time/http-date.ts';

/**
 * - `throttled`: the API asks for a lower rate; never the message's fault.
 * - `unreachable`: no connection was made, so nothing was sent; never the message's fault.
 * - `retryable`: the service failed, perhaps briefly, or the connection to it was lost.
 * - `conflict`: the service cannot do it now, for a reason in this request or its task.
 * - `denied`: the policy forbids this update, or all of them.
 * - `rejected`: the API understood the request and refuses it.
 * - `misconfigured`: credentials, clock or configuration of the worker are wrong; never the message's fault.
 * - `unidentified`: an answer that is not the API's, such as a proxy's error page.
 * - `internal`: a bug in ota-updater.
 */
export type FailureKind =
  | 'throttled'
  | 'unreachable'
  | 'retryable'
  | 'conflict'
  | 'denied'
  | 'rejected'
  | 'misconfigured'
  | 'unidentified'
  | 'internal';

/** A classified error. */
export interface Failure {
  readonly kind: FailureKind;
  readonly name: string;
  /** One line, at most 1,000 characters, without secrets. */
  readonly message: string;
  readonly status?: number;
  /** AWS's request id. */
  readonly requestId?: string;
  /** The wait that Retry-After asks for, in milliseconds, capped at {@link MAX_RETRY_AFTER_MS}. */
  readonly retryAfterMs?: number;
  /** The wait that `x-amz-retry-after` asks for, in milliseconds, as sent: {@link waitAfter} limits it. */
  readonly awsRetryAfterMs?: number;
  readonly stack?: string;
}

/** A call that did not end in 204, as the client saw it. */
export interface CallError {
  readonly name: string;
  readonly message: string;
  /** HTTP status, if there was an answer. */
  readonly status?: number;
  /** Code of Node's network and system errors. */
  readonly code?: string;
  /** False: it failed in the client, before the request was handed to the network. */
  readonly sent?: false;
  readonly requestId?: string;
  /** The header `x-amzn-errortype`, in which AWS's services name an error. */
  readonly errorType?: string;
  /** The header's text. */
  readonly retryAfter?: string;
  /** The text of the header `x-amz-retry-after`. */
  readonly awsRetryAfter?: string;
  /** The text of the header `Date`: a date in `Retry-After` is by the same clock. */
  readonly date?: string;
  readonly stack?: string;
}

/** The longest wait accepted from Retry-After, in milliseconds. */
export const MAX_RETRY_AFTER_MS = 15 * 60_000;

/** Kinds of the error names that all AWS services share; `denied` is decided after the status. */
const sharedKinds: Readonly<Record<Exclude<AwsErrorKind, 'denied'>, FailureKind>> = {
  'no-credentials': 'misconfigured',
  credentials: 'misconfigured',
  request: 'misconfigured',
  throttled: 'throttled',
  unreachable: 'retryable',
  service: 'retryable',
};

/** Errors of JavaScript, and undici's for invalid arguments: bugs, even if they have a code. */
const bugNames: ReadonlySet<string> = new Set([
  'EvalError',
  'InvalidArgumentError',
  'NotSupportedError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
]);

/** Names that carry no information: the code is more specific. */
const plain: ReadonlySet<string> = new Set(['', 'Error', 'AggregateError']);

/** Answers about one request, whatever the state of the service: Conflict, Too Early. */
const conflictStatuses: ReadonlySet<number> = new Set([409, 425]);

/** The errors of the service's own model, API version 2025-03-03. */
export const modelledNames: ReadonlySet<string> = new Set([
  'AccessDeniedException',
  'ConflictException',
  'InternalFailureException',
  'InternalServerException',
  'InvalidRequestException',
  'LimitExceededException',
  'ResourceNotFoundException',
  'ServiceQuotaExceededException',
  'ServiceUnavailableException',
  'ThrottlingException',
  'UnauthorizedException',
  'ValidationException',
]);

/**
 * Whether an answer is the API's own, and not from something between: it has AWS's request id, or names its error in AWS's
 * header, or by a name of the service's model. NOT YET SEEN AGAINST AWS: derived from the protocol (restJson1) and the SDK's
 * source. If AWS answers differently, this is the one place to change.
 */
function isFromApi({ name, requestId, errorType }: CallError): boolean {
  return requestId !== undefined || errorType !== undefined || modelledNames.has(name);
}

/**
 * Classifies a call that failed.
 * @param now epoch milliseconds, for a Retry-After given as a date if the answer has no date of its own.
 */
export function classify(error: CallError, now: number): Failure {
  const kind = failureKind(error);
  const retryAfterMs =
    error.retryAfter === undefined ? undefined : retryAfter(error.retryAfter, error.date, now);
  const awsRetryAfterMs =
    error.awsRetryAfter === undefined ? undefined : parseAwsRetryAfter(error.awsRetryAfter);
  // Such an error has the name of a bug: the client throws it for an invalid URL or header.
  const noRequest =
    kind === 'misconfigured' &&
    error.status === undefined &&
    (plain.has(error.name) || bugNames.has(error.name));
  return {
    kind,
    name: noRequest
      ? 'InvalidConfiguration'
      : remoteName(plain.has(error.name) ? (error.code ?? 'Error') : error.name),
    message: remoteText(noRequest ? `no request can be made: ${error.message}` : error.message),
    ...(error.status !== undefined && { status: error.status }),
    ...(error.requestId !== undefined && { requestId: remoteName(error.requestId) }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(awsRetryAfterMs !== undefined && { awsRetryAfterMs }),
    ...(kind === 'internal' && error.stack !== undefined && { stack: remoteStack(error.stack) }),
  };
}

function failureKind(error: CallError): FailureKind {
  const { name, status, code } = error;
  // The status of a truncated answer, if there is one, proves nothing.
  if (status === undefined || isConnectionCode(code)) return kindWithoutAnswer(error);
  const fromApi = isFromApi(error);
  const shared = fromApi ? awsErrorKind(name) : undefined;
  if (shared !== undefined && shared !== 'denied') return sharedKinds[shared];
  if (status === 429) return 'throttled';
  if (conflictStatuses.has(status) || name === 'ConflictException') return 'conflict';
  if (status >= 500 || status === 408) return 'retryable';
  if (status < 400 || !fromApi) return 'unidentified';
  if (status === 401) return 'misconfigured';
  return status === 403 || shared === 'denied' ? 'denied' : 'rejected';
}

function kindWithoutAnswer({ name, message, status, code, sent }: CallError): FailureKind {
  const shared = awsErrorKind(name);
  if (shared === 'no-credentials' || shared === 'request') return 'misconfigured';
  // Node tries all addresses of a host, and reports them together only when none can be connected to.
  if (status === undefined && (name === 'AggregateError' || neverConnected(code, message)))
    return 'unreachable';
  if (isConnectionCode(code) || shared === 'unreachable') return 'retryable';
  // Messages differ only in a path and a body that can always be sent, so the cause is the set-up.
  if (sent === false || isUnsendable(code)) return 'misconfigured';
  return code === undefined || bugNames.has(name) ? 'internal' : 'retryable';
}

/** The wait that the header asks for, in milliseconds. A date there is by the clock that dated the answer. */
function retryAfter(header: string, date: string | undefined, now: number): number | undefined {
  return parseRetryAfter(header, (date === undefined ? undefined : parseHttpDate(date, now)) ?? now);
}

/**
 * Milliseconds that a Retry-After header asks for: seconds or an HTTP date, capped at 15 minutes.
 * @param now when the answer was made, in epoch milliseconds.
 * @returns undefined when it is neither.
 */
export function parseRetryAfter(header: string, now: number): number | undefined {
  const text = header.trim();
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000 : undefined;
  const at = seconds === undefined ? parseHttpDate(text, now) : undefined;
  const ms = seconds ?? (at === undefined ? undefined : at - now);
  return ms === undefined ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}

/**
 * Milliseconds that an `x-amz-retry-after` header asks for. AWS's services use it to tell the SDKs when to try again.
 * @returns undefined unless it is a whole number: the SDKs ignore such a header.
 */
function parseAwsRetryAfter(header: string): number | undefined {
  const text = header.trim();
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** How much longer than the backoff AWS's SDKs wait for `x-amz-retry-after`, in milliseconds (aws-sdk-go-v2 3400). */
const MAX_BEYOND_BACKOFF_MS = 5_000;

/**
 * How long to wait before the next try, in milliseconds. `x-amz-retry-after` is followed as in AWS's SDKs: no less than the
 * backoff, and at most five seconds more. `Retry-After`, which any intermediary may send, is a lower bound. If both are
 * present, AWS's own counts.
 * @param backoffMs the wait without a header.
 */
export function waitAfter(
  { retryAfterMs, awsRetryAfterMs }: Pick<Failure, 'retryAfterMs' | 'awsRetryAfterMs'>,
  backoffMs: number,
): number {
  if (awsRetryAfterMs !== undefined)
    return Math.min(Math.max(awsRetryAfterMs, backoffMs), backoffMs + MAX_BEYOND_BACKOFF_MS);
  return Math.max(retryAfterMs ?? 0, backoffMs);
}
