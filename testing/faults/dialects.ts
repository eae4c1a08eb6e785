/** How each service formats its errors, and answers that no service gives. */
interface Wire {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export interface Dialect {
  /** Answers with status 5xx. */
  readonly errors: readonly [Wire, ...Wire[]];
  /** Answers with status 200 that the service did not give. */
  readonly garbage: readonly [Wire, ...Wire[]];
}

const html = 'text/html; charset=utf-8';
const page = '<html><head><title>Welcome</title></head><body>Please log in to this network</body></html>';
const gateway = '<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>';

function garbageOf(type: string): readonly [Wire, ...Wire[]] {
  return [
    { status: 200, type: html, body: page },
    { status: 200, type, body: '' },
    // An object that reports neither success nor failure.
    { status: 200, type, body: '{}' },
    { status: 200, type, body: '{"Successful":[{"Id":"' },
    { status: 200, type, body: '\u0000\u0001\u001b[2J\ufffd\u202e' },
  ];
}

const sqsType = 'application/x-amz-json-1.0';

export const sqsDialect: Dialect = {
  errors: [
    {
      status: 500,
      type: sqsType,
      body: '{"__type":"com.amazonaws.sqs#InternalFailure","message":"injected"}',
    },
    {
      status: 503,
      type: sqsType,
      body: '{"__type":"com.amazonaws.sqs#ServiceUnavailable","message":"injected"}',
    },
    { status: 502, type: html, body: gateway },
  ],
  garbage: garbageOf(sqsType),
};

export const apiDialect: Dialect = {
  errors: [
    {
      status: 500,
      type: 'application/json',
      body: '{"__type":"InternalServerException","message":"injected"}',
    },
    {
      status: 503,
      type: 'application/json',
      body: '{"__type":"ServiceUnavailableException","message":"injected"}',
    },
    { status: 502, type: html, body: gateway },
  ],
  garbage: garbageOf('application/json'),
};
