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
 * Without the suffix `Exception`, which AWS's services use or leave out. Sources: AWS's pages on common errors, EC2's and S3's
 * on accounts that may not use the service, and the SDK's lists of throttling and clock errors (`@smithy/core/retry`).
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

/**
 * Codes of connections that were never made: refused, no such host, no route, no descriptor left, no connection in time,
 * a TLS handshake that failed, a proxy that cannot be reached.
 */
const NEVER_CONNECTED = new RegExp(
  `^(${[
    'ECONNREFUSED|ENOTFOUND|EAI_|EHOST|ENETDOWN|ENETUNREACH|EADDR',
    'EMFILE|ENFILE|ENOBUFS',
    'UND_ERR_CONNECT_TIMEOUT|UND_ERR_PRX|ERR_PROXY',
    // OpenSSL's verdicts on a certificate, by Node's names, and handshakes that end with an alert or with no TLS at all.
    'CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED',
    'EPROTO|ERR_TLS_CERT|ERR_SSL_(WRONG_VERSION|UNSUPPORTED|NO_|TLSV|SSLV3|SSL/TLS|PACKET_LENGTH|HTTP)',
  ].join('|')})`,
);

/** Whether a code says that this process or machine has room for no further connection, whatever the other side. */
export function isOutOfConnections(code: unknown): boolean {
  return typeof code === 'string' && /^(EMFILE|ENFILE|ENOBUFS|EADDRNOTAVAIL)$/.test(code);
}

/**
 * OpenSSL's codes. They do not say whether its handshake had ended: only undici, which writes nothing before, gives them to
 * a handshake that failed; of `node:http` that has the code EPROTO.
 */
const TLS_CODES = /^ERR_SSL_/;

/** What such an error says where its code is that of a lost connection, or where it has none. */
const NEVER_CONNECTED_TEXT =
  /^connect E|before secure TLS connection was established|^Proxy response \(|socket did not establish a connection/;

/**
 * Whether an error's code or message says that no connection was made, so that the request cannot have arrived.
 * @param message tells `connect ETIMEDOUT` from a connection that was lost later.
 */
export function neverConnected(code: string | undefined, message = ''): boolean {
  return (code !== undefined && NEVER_CONNECTED.test(code)) || NEVER_CONNECTED_TEXT.test(message);
}

/** The same, where the request was sent by any client: in doubt the connection was made. */
export function cannotHaveArrived(code: string | undefined, message: string): boolean {
  return !TLS_CODES.test(code ?? '') && neverConnected(code, message);
}

/** The system's codes of a connection, undici's (`UND_ERR_SOCKET`) and its parser's (`HPE_INVALID_CONSTANT`). */
const CONNECTION_CODES = /^(ECONN|EPIPE|ETIMEDOUT|ENETRESET|UND_ERR|HPE)/;
/** Codes of requests that the client cannot put on the wire: a header, an address or a port that is none. */
const UNSENDABLE =
  /^(UND_ERR_INVALID_ARG|UND_ERR_NOT_SUPPORTED|ERR_INVALID_CHAR|ERR_INVALID_HTTP_TOKEN|ERR_INVALID_URL|ERR_INVALID_PROTOCOL|ERR_UNESCAPED_CHARACTERS|ERR_SOCKET_BAD_PORT)$/;

/** Whether a code says that a connection could not be made, or did not hold. */
export function isConnectionCode(code: string | undefined): boolean {
  if (code === undefined || isUnsendable(code)) return false;
  return CONNECTION_CODES.test(code) || TLS_CODES.test(code) || NEVER_CONNECTED.test(code);
}

/** Whether a code says that such a request cannot be sent at all. */
export function isUnsendable(code: string | undefined): boolean {
  return code !== undefined && UNSENDABLE.test(code);
}

/** How the SDK says that none of its sources has credentials. */
export const NO_SOURCE = 'Could not load credentials from any providers';

/** A failure in words: what is wrong, and what to do about it, where that is known. Neither has a full stop. */
export interface Explanation {
  readonly what: string;
  readonly fix?: string;
  /** What was answered or thrown, where it says more. */
  readonly said?: string;
}

/**
 * An error of the kind `no-credentials` in words. What a source of credentials says (of a login that has expired, say) also
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
