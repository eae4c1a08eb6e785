/** An HTTP answer, without the request id, which every answer of the API gets. */
export interface Answer {
  /** As from a proxy in front of the API: without a request id. */
  readonly foreign?: true;
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** null for an empty body. */
  readonly body: string | null;
}

const json = { 'content-type': 'application/json' };

export const noContent: Answer = Object.freeze({ status: 204, headers: {}, body: null });

export function ok(body: unknown, status = 200): Answer {
  return { status, headers: json, body: JSON.stringify(body) };
}

/** A restJson1 error: its name in `x-amzn-errortype`, its message in the body. */
export function failure(
  status: number,
  name: string,
  message: string,
  extra: { readonly headers?: Readonly<Record<string, string>>; readonly fields?: object } = {},
): Answer {
  return {
    status,
    headers: { ...json, 'x-amzn-errortype': name, ...extra.headers },
    body: JSON.stringify({ message, ...extra.fields }),
  };
}

export function validationFailure(message: string): Answer {
  return failure(400, 'ValidationException', message);
}

export function notFound(identifier: string): Answer {
  return failure(404, 'ResourceNotFoundException', `OTA task ${identifier} was not found`, {
    fields: { ResourceId: identifier, ResourceType: 'OtaTask' },
  });
}

export function noConfiguration(id: string): Answer {
  return failure(404, 'ResourceNotFoundException', `OTA task configuration ${id} was not found`, {
    fields: { ResourceId: id, ResourceType: 'OtaTaskConfiguration' },
  });
}

/** 429; with the headers Retry-After (seconds) and x-amz-retry-after (milliseconds) unless null. */
export function throttled(retryAfterSeconds: number | null, awsRetryAfterMs: number | null): Answer {
  const headers = {
    ...(retryAfterSeconds !== null && { 'retry-after': String(retryAfterSeconds) }),
    ...(awsRetryAfterMs !== null && { 'x-amz-retry-after': String(awsRetryAfterMs) }),
  };
  return failure(429, 'ThrottlingException', 'Rate exceeded', { headers });
}

export function accessDenied(operation: string, resource: string): Answer {
  const message =
    'User: arn:aws:iam::123456789012:user/sandbox is not authorized to perform: ' +
    `iotmanagedintegrations:${operation} on resource: ${resource}`;
  return failure(403, 'AccessDeniedException', message);
}

export const malformedBody = failure(400, 'SerializationException', 'The body is not a JSON object');
export const tokenConflict = failure(
  409,
  'ConflictException',
  'The client token was used before, with other values',
);
export const internalError = failure(500, 'InternalServerException', 'An internal error occurred');
export const expiredToken = failure(
  403,
  'ExpiredTokenException',
  'The security token included in the request is expired',
);
export const missingToken = failure(
  403,
  'MissingAuthenticationTokenException',
  'Missing Authentication Token',
);

/** A proxy's error page: no error name, not JSON. */
export const htmlUnavailable: Answer = Object.freeze({
  foreign: true,
  status: 503,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: '<html><head><title>503 Service Temporarily Unavailable</title></head><body><h1>503</h1></body></html>',
});
