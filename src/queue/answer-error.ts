/** How error answers from SQS are read. PURE. */
import { ForeignAnswerError, named } from '../aws/foreign.ts';
import { isReadError } from '../aws/system-code.ts';

/** What the SDK makes of an answer that it read as an error. The answer's own fields are among its properties. */
interface ReadError extends Error {
  readonly $response?: { readonly headers?: Readonly<Record<string, unknown>> };
  readonly __type?: unknown;
}

/**
 * The same error, named by the code in its answer; a {@link ForeignAnswerError} if the answer has no code. SQS puts its
 * code in `__type`, or in the header of its older protocol. The SDK gives precedence to any other field or header that
 * looks like a code.
 */
export function sqsError(error: unknown): unknown {
  if (!isReadError(error)) return named(error);
  const read = error as ReadError;
  const code = codeIn(read.__type) ?? queryCode(read.$response?.headers?.['x-amzn-query-error']);
  if (code === undefined) return new ForeignAnswerError(read.$response);
  read.name = code;
  return read;
}

/**
 * @returns undefined if `type` is no code: absent, a number, or a status, which boto3 puts there when there is no code.
 */
function codeIn(type: unknown): string | undefined {
  const code = typeof type === 'string' ? withoutNamespace(type) : '';
  return code === 'Unknown' || /^\d*$/.test(code) ? undefined : code;
}

/** The code in a header `CODE;FAULT`. */
function queryCode(header: unknown): string | undefined {
  const [code, fault, ...more] = typeof header === 'string' ? header.split(';') : [];
  return fault === undefined || more.length > 0 ? undefined : codeIn(code);
}

/** `namespace#CODE:URI` to `CODE`. */
export function withoutNamespace(code: string): string {
  return code.replace(/[,:].*$/s, '').replace(/^.*#/s, '');
}
