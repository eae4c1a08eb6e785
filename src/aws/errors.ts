/**
 * Error names that all AWS services and SDK clients share, by their meaning. PURE, and imports nothing. Names that only one
 * service has are in that service's file: `message/failure.ts` for the API, `queue/errors.ts` for SQS.
 */

/**
 * - `no-credentials`: the client found none, or none that is still valid; nothing was sent.
 * - `credentials`: AWS does not accept the caller: key, token, signature, clock or account.
 * - `request`: the server at that address does not know such a request, or the client knows no address for it.
 * - `denied`: AWS knows the caller, and a policy does not allow the request.
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
 * Without the suffix `Exception`, which AWS's services use or omit. Sources: AWS's pages on common errors, EC2's and S3's on
 * accounts that may not use the service, and the SDK's lists of throttling and clock errors (`@smithy/core/retry`).
 */
export const awsErrorNames: Readonly<Record<AwsErrorKind, readonly string[]>> = {
  'no-credentials': ['CredentialsProviderError', 'TokenProviderError'],
  credentials: [
    'AccountProblem',
    'AccountSuspended',
    'AllAccessDisabled',
    'AuthFailure',
    'Blocked',
    'ExpiredToken',
    'IncompleteSignature',
    'InvalidAccessKeyId',
    'InvalidClientTokenId',
    'InvalidPayer',
    'InvalidSecurity',
    'InvalidSignature',
    'InvalidToken',
    'MissingAuthenticationToken',
    'NotSignedUp',
    'OptInRequired',
    'PendingVerification',
    'RequestExpired',
    'RequestInTheFuture',
    'RequestTimeTooSkewed',
    'SignatureDoesNotMatch',
    'SubscriptionRequired',
    'TokenRefreshRequired',
    'Unauthorized',
    'UnrecognizedClient',
  ],
  request: ['EndpointError', 'InvalidAction', 'UnknownOperation'],
  denied: ['AccessDenied', 'NotAuthorized'],
  // Not `LimitExceeded`: as a quota on an API's resources it does not pass by waiting.
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
    'TransactionInProgress',
  ],
  unreachable: ['HTTPParserError', 'RequestAborted', 'RequestTimeout', 'TimeoutError'],
  service: [
    'InternalError',
    'InternalFailure',
    'InternalServer',
    'InternalServerError',
    'ServiceUnavailable',
  ],
};

const kinds: ReadonlyMap<string, AwsErrorKind> = kindsByName(awsErrorNames);

/** Inverts a table from kinds to names. */
export function kindsByName<Kind extends string>(
  table: Readonly<Record<Kind, readonly string[]>>,
): ReadonlyMap<string, Kind> {
  const entries = Object.entries<readonly string[]>(table) as [Kind, readonly string[]][];
  return new Map(entries.flatMap(([kind, all]) => all.map((name) => [name, kind] as const)));
}

/** What an error's name means in any AWS service; undefined: nothing that all of them agree on. */
export function awsErrorKind(name: string): AwsErrorKind | undefined {
  return kinds.get(withoutSuffix(name));
}

/** The name without `Exception`. */
export function withoutSuffix(name: string): string {
  return name.replace(/Exception$/, '');
}

/**
 * Codes for connections that were never made: refused, no such host, no route, no descriptor left, no connection in time, a
 * failed TLS handshake, an unreachable proxy.
 */
const NEVER_CONNECTED = new RegExp(
  `^(${[
    'ECONNREFUSED|ENOTFOUND|EAI_|EHOST|ENETDOWN|ENETUNREACH|EADDR',
    'EMFILE|ENFILE|ENOBUFS',
    'UND_ERR_CONNECT_TIMEOUT|UND_ERR_PRX|ERR_PROXY',
    // OpenSSL's certificate errors, by Node's names, and handshakes that end with an alert or without any TLS.
    'CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED',
    'EPROTO|ERR_TLS_CERT|ERR_SSL_(WRONG_VERSION|UNSUPPORTED|NO_|TLSV|SSLV3|SSL/TLS|PACKET_LENGTH|HTTP)',
  ].join('|')})`,
);

/** Whether a code means that this process or machine cannot open another connection, whatever the other side. */
export function isOutOfConnections(code: unknown): boolean {
  return typeof code === 'string' && /^(EMFILE|ENFILE|ENOBUFS|EADDRNOTAVAIL)$/.test(code);
}

/**
 * OpenSSL's codes. They do not show whether the handshake had ended. Only undici, which writes nothing before that, uses them
 * for a failed handshake; `node:http` gives such a failure the code EPROTO.
 */
const TLS_CODES = /^ERR_SSL_/;

/** The message of such an error if its code is that of a lost connection, or it has none. */
const NEVER_CONNECTED_TEXT =
  /^connect E|before secure TLS connection was established|^Proxy response \(|socket did not establish a connection/;

/**
 * Whether an error's code or message shows that no connection was made, so that the request cannot have arrived.
 * @param message distinguishes `connect ETIMEDOUT` from a connection that was lost later.
 */
export function neverConnected(code: string | undefined, message = ''): boolean {
  return (code !== undefined && NEVER_CONNECTED.test(code)) || NEVER_CONNECTED_TEXT.test(message);
}

/** As {@link neverConnected}, for a request sent by any client: in doubt the connection was made. */
export function cannotHaveArrived(code: string | undefined, message: string): boolean {
  return !TLS_CODES.test(code ?? '') && neverConnected(code, message);
}

/** The operating system's connection codes, undici's (`UND_ERR_SOCKET`) and its parser's (`HPE_INVALID_CONSTANT`). */
const CONNECTION_CODES = /^(ECONN|EPIPE|ETIMEDOUT|ENETRESET|UND_ERR|HPE)/;
/** Codes for requests that the client cannot send: an invalid header, address or port. */
const UNSENDABLE =
  /^(UND_ERR_INVALID_ARG|UND_ERR_NOT_SUPPORTED|ERR_INVALID_CHAR|ERR_INVALID_HTTP_TOKEN|ERR_INVALID_URL|ERR_INVALID_PROTOCOL|ERR_UNESCAPED_CHARACTERS|ERR_SOCKET_BAD_PORT)$/;

/** Whether a code means that a connection could not be made, or was lost. */
export function isConnectionCode(code: string | undefined): boolean {
  if (code === undefined || isUnsendable(code)) return false;
  return CONNECTION_CODES.test(code) || TLS_CODES.test(code) || NEVER_CONNECTED.test(code);
}

/** Whether a code means that such a request can never be sent. */
export function isUnsendable(code: string | undefined): boolean {
  return code !== undefined && UNSENDABLE.test(code);
}

/** The SDK's message when none of its sources has credentials. */
export const NO_SOURCE = 'Could not load credentials from any providers';

/** A failure in words: what is wrong, and what to do about it, if known. Neither has a full stop. */
export interface Explanation {
  readonly what: string;
  readonly fix?: string;
  /** The error's own text, if it adds something. */
  readonly said?: string;
}

/**
 * An error of kind `no-credentials` in words. The message of a credentials source (for example, about an expired login) also
 * says what to do.
 */
export function explainNoCredentials(message: string): Explanation {
  if (!message.startsWith(NO_SOURCE))
    return { what: `AWS credentials could not be obtained: ${message.replace(/\.$/, '')}` };
  return {
    what: 'no AWS credentials were found',
    fix: 'set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the process a role',
  };
}
