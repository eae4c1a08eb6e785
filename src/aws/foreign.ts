/** Answers that are not from AWS: a captive portal, a gateway's page, another service. PURE. */
import { remoteName } from '../text/remote.ts';

/** The part of the SDK's HTTP response that is needed. */
interface HttpAnswer {
  readonly statusCode?: number;
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** The answer did not come from the service. The message says what came instead. */
export class ForeignAnswerError extends Error {
  override readonly name = 'ForeignAnswer';
  readonly $metadata: { readonly httpStatusCode: number | undefined };

  constructor(answer: unknown) {
    const { statusCode, headers } = asAnswer(answer);
    const type = Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === 'content-type')?.[1];
    const content = typeof type === 'string' && type !== '' ? remoteName(type) : 'no content type';
    super(`HTTP ${statusCode ?? 'without a status'}, ${content}`);
    this.$metadata = { httpStatusCode: statusCode };
  }
}

/**
 * Error names for an answer that the SDK cannot read, or in which it finds no name: AWS's errors always have one.
 * `Unknown` is also the name of a failure without an answer, so the response is checked too.
 */
const UNREADABLE: ReadonlySet<string> = new Set([
  'RangeError',
  'SyntaxError',
  'TypeError',
  'Unknown',
  'UnknownError',
]);

/** The same error, or a {@link ForeignAnswerError} if the SDK could not interpret the answer. */
export function named(error: unknown): unknown {
  if (!(error instanceof Error) || !UNREADABLE.has(error.name)) return error;
  // For a truncated answer, the connection's code is more specific.
  if ('code' in error && error.code !== undefined) return error;
  const { $response } = error as { readonly $response?: unknown };
  return asAnswer($response).statusCode === undefined ? error : new ForeignAnswerError($response);
}

function asAnswer(value: unknown): HttpAnswer {
  return typeof value === 'object' && value !== null ? value : {};
}
