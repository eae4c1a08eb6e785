/**
 * Names of errors that every AWS service and every SDK client have in common, by what they say. PURE, and imports
 * nothing. What only one service says stands with that service: `message/failure.ts` for the API, `queue/errors.ts` for SQS.
 */

/**
 * - `no-credentials`: the client found none, or none that is still good; nothing was sent.
 * - `credentials`: AWS does not accept who asks: key, token, signature, clock or account.
 * - `request`: what is at that address does not know such a request, or the client knows no address for it.
 * - `denied`: AWS knows who asks, and a policy does not allow it.
 * - `throttled`: slow down.
 * - `unreachable`: no complete answer came.
 * - `service`: the service's own fault.
 */
export type AwsErrorKind =
  | 'no-credentials'
  | 'credentials'
  | 'request'
  | 'denied'
  | 'throttled'
  | 'unreachable'
  | 'service';

/**
 * Without the suffix `Exception`, which AWS's services use or leave out. Sources: AWS's pages on common errors, and the
 * SDK's own list of throttling errors.
 */
const names: Readonly<Record<AwsErrorKind, readonly string[]>> = {
  'no-credentials': ['CredentialsProviderError', 'TokenProviderError'],
  credentials: [
    'AuthFailure',
    'ExpiredToken',
    'IncompleteSignature',
    'InvalidAccessKeyId',
    'InvalidClientTokenId',
    'InvalidSignature',
    'InvalidToken',
    'MissingAuthenticationToken',
    'OptInRequired',
    'RequestExpired',
    'RequestTimeTooSkewed',
    'SignatureDoesNotMatch',
    'TokenRefreshRequired',
    'Unauthorized',
    'UnrecognizedClient',
  ],
  request: ['EndpointError', 'InvalidAction', 'UnknownOperation'],
  denied: ['AccessDenied', 'NotAuthorized'],
  // Not `LimitExceeded`: as an API's quota on things it does not pass by waiting.
  throttled: [
    'BandwidthLimitExceeded',
    'EC2Throttled',
    'PriorRequestNotComplete',
    'ProvisionedThroughputExceeded',
    'RequestLimitExceeded',
    'RequestThrottled',
    'SlowDown',
    'Throttled',
    'Throttling',
    'TooManyRequests',
  ],
  unreachable: ['HTTPParserError', 'RequestTimeout', 'TimeoutError'],
  service: [
    'InternalError',
    'InternalFailure',
    'InternalServer',
    'InternalServerError',
    'ServiceUnavailable',
  ],
};

const kinds: ReadonlyMap<string, AwsErrorKind> = kindsByName(names);

/** A table from kinds to names, read the other way round. */
export function kindsByName<Kind extends string>(
  table: Readonly<Record<Kind, readonly string[]>>,
): ReadonlyMap<string, Kind> {
  const entries = Object.entries<readonly string[]>(table) as [Kind, readonly string[]][];
  return new Map(entries.flatMap(([kind, all]) => all.map((name) => [name, kind] as const)));
}

/** What an error's name says in any AWS service; undefined: nothing that all of them agree on. */
export function awsErrorKind(name: string): AwsErrorKind | undefined {
  return kinds.get(withoutSuffix(name));
}

/** The name without `Exception`. */
export function withoutSuffix(name: string): string {
  return name.replace(/Exception$/, '');
}

/** The system's codes of a connection, undici's (`UND_ERR_SOCKET`) and its parser's (`HPE_INVALID_CONSTANT`). */
const CONNECTION_CODES = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST|ENET|EADDR|UND_ERR|HPE)/;
/** Of undici's, those of a request that it cannot make: a bug of ours. */
const OUR_FAULT = /^UND_ERR_(INVALID_ARG|NOT_SUPPORTED)$/;

/** Whether a code says that a connection could not be made, or did not hold. */
export function isConnectionCode(code: string | undefined): boolean {
  return code !== undefined && CONNECTION_CODES.test(code) && !OUR_FAULT.test(code);
}

/** Codes of connections that were never made: nothing was sent. */
const NEVER_CONNECTED = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOST|ENET|EADDR|UND_ERR_CONNECT_TIMEOUT)/;

/** Whether a code says that no connection was made, so that the request cannot have arrived. */
export function neverConnected(code: string | undefined): boolean {
  return code !== undefined && NEVER_CONNECTED.test(code);
}
