/** What went wrong with one call, by tables one can read (design 2.2): by error name first, then by status. */

/**
 * - `throttled`: the API said slow down; never the message's fault.
 * - `retryable`: the service or the way to it failed; may pass.
 * - `denied`: 403; the policy forbids this update, or all of them.
 * - `rejected`: the API understood the request and will not have it.
 * - `misconfigured`: our own credentials, clock or set-up.
 * - `unidentified`: an answer that the API did not give (a proxy's page, say).
 * - `internal`: a bug of ours.
 */
export type FailureKind =
  | 'throttled'
  | 'retryable'
  | 'denied'
  | 'rejected'
  | 'misconfigured'
  | 'unidentified'
  | 'internal';

/** A classified error: data from the I/O edge on. */
export interface Failure {
  readonly kind: FailureKind;
  readonly name: string;
  /** One line, at most 1,000 characters, with nothing secret in it. */
  readonly message: string;
  readonly status?: number;
  /** AWS's request id. */
  readonly requestId?: string;
  /** What Retry-After asked for, in milliseconds, capped. */
  readonly retryAfterMs?: number;
  readonly stack?: string;
}

/** The facts of a call that did not end in 204, as the I/O edge saw them. */
export interface CallError {
  readonly name: string;
  readonly message: string;
  /** Of the HTTP answer, when there was one. */
  readonly status?: number;
  /** Of Node's network and system errors. */
  readonly code?: string;
  readonly requestId?: string;
  /** The header as it came. */
  readonly retryAfter?: string;
  readonly stack?: string;
}

/** Longer waits than this are not taken from Retry-After, in milliseconds. */
export const MAX_RETRY_AFTER_MS = 15 * 60_000;

const MAX_MESSAGE_LENGTH = 1_000;

/** `LimitExceededException` is not among them: it is a quota on things, which waiting does not mend. */
const throttledNames: ReadonlySet<string> = new Set([
  'BandwidthLimitExceeded',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequests',
  'TooManyRequestsException',
]);

/** Without the suffix `Exception`, which AWS's services use or leave out. */
const misconfiguredNames: ReadonlySet<string> = new Set([
  'AuthFailure',
  'CredentialsProviderError',
  'EndpointError',
  'ExpiredToken',
  'IncompleteSignature',
  'InvalidAccessKeyId',
  'InvalidAction',
  'InvalidClientTokenId',
  'InvalidSignature',
  'InvalidToken',
  'MissingAuthenticationToken',
  'OptInRequired',
  'RequestExpired',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
  'TokenProviderError',
  'TokenRefreshRequired',
  'Unauthorized',
  'UnknownOperation',
  'UnrecognizedClient',
]);

const retryableNames: ReadonlySet<string> = new Set([
  'ConflictException',
  'HTTPParserError',
  'InternalError',
  'InternalFailure',
  'InternalServerError',
  'InternalServerException',
  'RequestTimeout',
  'RequestTimeoutException',
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'TimeoutError',
]);

/** Name first, as everywhere: AWS's common errors carry some of these on a 400. */
const deniedNames: ReadonlySet<string> = new Set(['AccessDenied', 'AccessDeniedException', 'NotAuthorized']);

/** An answer that did not come to its end: what its status says, if there is one, is not known to be so. */
const cutShort = /^(ECONNRESET|UND_ERR_SOCKET)$/;

/** Errors of the language, and undici's of a request it cannot make: a bug of ours, also where they have a code. */
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

const retryableStatuses: ReadonlySet<number> = new Set([408, 409, 425]);

/** A gateway's own code, `404` say: AWS's are words. */
const numericName = /^\d+$/;

/** Names that say no AWS service chose them. */
const namelessNames: ReadonlySet<string> = new Set([
  '',
  'Error',
  'SyntaxError',
  'TypeError',
  'Unknown',
  'UnknownError',
]);

/**
 * Classifies a call that failed.
 * @param now epoch milliseconds, for a Retry-After given as a date.
 */
export function classify(error: CallError, now: number): Failure {
  const kind = failureKind(error);
  const retryAfterMs = error.retryAfter === undefined ? undefined : parseRetryAfter(error.retryAfter, now);
  return {
    kind,
    name: error.name === '' ? 'Error' : error.name.slice(0, 200),
    message: safeMessage(error.message),
    ...(error.status !== undefined && { status: error.status }),
    ...(error.requestId !== undefined && { requestId: error.requestId }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(kind === 'internal' && error.stack !== undefined && { stack: error.stack }),
  };
}

function failureKind({ name, status, code }: CallError): FailureKind {
  if (throttledNames.has(name)) return 'throttled';
  if (misconfiguredNames.has(name.replace(/Exception$/, ''))) return 'misconfigured';
  if (retryableNames.has(name) || cutShort.test(code ?? '')) return 'retryable';
  if (status === undefined) return code === undefined || bugNames.has(name) ? 'internal' : 'retryable';
  if (status === 429) return 'throttled';
  if (status >= 500 || retryableStatuses.has(status)) return 'retryable';
  if (status === 401) return 'misconfigured';
  if (status < 400 || namelessNames.has(name) || numericName.test(name)) return 'unidentified';
  return status === 403 || deniedNames.has(name) ? 'denied' : 'rejected';
}

/** HTTP's three forms of a date begin with a weekday; `Date.parse` alone reads a date into almost anything. */
const httpDate = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /;

/**
 * Milliseconds that a Retry-After header asks for: seconds or an HTTP date, capped at 15 minutes.
 * @returns undefined for what is neither.
 */
export function parseRetryAfter(header: string, now: number): number | undefined {
  const text = header.trim();
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000 : undefined;
  const ms = seconds ?? (httpDate.test(text) ? Date.parse(text) - now : Number.NaN);
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}

/** Where AWS begins to quote the request that it got or expected: signature, session token and all. */
const quotedRequest =
  /the canonical string|string-to-sign|authorization\s*[=:]|aws4-hmac-sha256|credential=|signature=|x-amz-security-token/i;

/** One line of at most 1,000 characters, cut where an error begins to quote a signed request. */
export function safeMessage(message: string): string {
  const quoted = message.search(quotedRequest);
  const text = quoted < 0 ? message : message.slice(0, quoted);
  return text.replace(/\s+/g, ' ').trim().slice(0, MAX_MESSAGE_LENGTH);
}
