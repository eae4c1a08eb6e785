/**
 * Classifies failed calls by tables: by error name first, then by HTTP status, because AWS sends some errors, throttling
 * among them, with different statuses (ARCHITECTURE.md, Failures). PURE.
 */

import { type AwsErrorKind, awsErrorKind, isConnectionCode } from '../aws/errors.ts';
import { remoteName, remoteStack, remoteText } from '../text/remote.ts';
import { parseHttpDate } from '../time/http-date.ts';

/**
 * - `throttled`: the API asks for a lower rate; never the message's fault.
 * - `retryable`: the service or the connection to it failed, perhaps briefly.
 * - `denied`: the policy forbids this update, or all of them.
 * - `rejected`: the API understood the request and refuses it.
 * - `misconfigured`: credentials, clock or configuration of the worker are wrong.
 * - `unidentified`: an answer that is not the API's, such as a proxy's error page.
 * - `internal`: a bug in ota-updater.
 */
export type FailureKind =
  | 'throttled'
  | 'retryable'
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
  /** What Retry-After asks for, in milliseconds, capped at {@link MAX_RETRY_AFTER_MS}. */
  readonly retryAfterMs?: number;
  readonly stack?: string;
}

/** A call that did not end in 204, as the client saw it. */
export interface CallError {
  readonly name: string;
  readonly message: string;
  /** HTTP status, when there was an answer. */
  readonly status?: number;
  /** Code of Node's network and system errors. */
  readonly code?: string;
  readonly requestId?: string;
  /** The header's text. */
  readonly retryAfter?: string;
  /** The text of the header `Date`: a date in `Retry-After` is by the same clock. */
  readonly date?: string;
  readonly stack?: string;
}

/** Longest wait that Retry-After is followed for, in milliseconds. */
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

/** Errors of JavaScript, and undici's for a request it cannot make: bugs, even where they have a code. */
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

/** A gateway's own code, such as `404`: AWS's are words. */
const numericName = /^\d+$/;

/** Names that no AWS service chose: the SDK's for an answer without an error code. */
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
 * @param now epoch milliseconds, for a Retry-After given as a date where the answer has no date of its own.
 */
export function classify(error: CallError, now: number): Failure {
  const kind = failureKind(error);
  const retryAfterMs =
    error.retryAfter === undefined ? undefined : retryAfter(error.retryAfter, error.date, now);
  return {
    kind,
    name: error.name === '' ? 'Error' : remoteName(error.name),
    message: remoteText(error.message),
    ...(error.status !== undefined && { status: error.status }),
    ...(error.requestId !== undefined && { requestId: remoteName(error.requestId) }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(kind === 'internal' && error.stack !== undefined && { stack: remoteStack(error.stack) }),
  };
}

function failureKind({ name, status, code }: CallError): FailureKind {
  const shared = awsErrorKind(name);
  if (shared !== undefined && shared !== 'denied') return sharedKinds[shared];
  // The status of an answer that broke off, if there is one, proves nothing.
  if (name === 'ConflictException' || isConnectionCode(code)) return 'retryable';
  if (status === undefined) return code === undefined || bugNames.has(name) ? 'internal' : 'retryable';
  if (status === 429) return 'throttled';
  if (status >= 500 || retryableStatuses.has(status)) return 'retryable';
  if (status === 401) return 'misconfigured';
  if (status < 400 || namelessNames.has(name) || numericName.test(name)) return 'unidentified';
  return status === 403 || shared === 'denied' ? 'denied' : 'rejected';
}

/** What the header asks for, in milliseconds; a date there is by the clock that dated the answer. */
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
