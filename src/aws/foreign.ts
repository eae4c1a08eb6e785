/** Answers that are not AWS's: a captive portal, a gateway's page, another service. PURE. */
import { remoteName } from '../text/remote.ts';

/** The part of the SDK's HTTP response that is needed. */
interface HttpAnswer {
  readonly statusCode?: number;
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** What answered is not the service; the message says what came instead. */
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
 * Names that errors have where the SDK cannot read an answer, or finds no name in it: AWS's always have one.
 * `Unknown` is also the name of a failure without an answer, hence the look at the response.
 */
const UNREADABLE: ReadonlySet<string> = new Set([
  'RangeError',
  'SyntaxError',
  'TypeError',
  'Unknown',
  'UnknownError',
]);

/** The same error, or a {@link ForeignAnswerError} where the SDK could make nothing of an answer. */
export function named(error: unknown): unknown {
  if (!(error instanceof Error) || !UNREADABLE.has(error.name)) return error;
  // Of an answer that broke off, the connection's code says more.
  if ('code' in error && error.code !== undefined) return error;
  const { $response } = error as { readonly $response?: unknown };
  return asAnswer($response).statusCode === undefined ? error : new ForeignAnswerError($response);
}

function asAnswer(value: unknown): HttpAnswer {
  return typeof value === 'object' && value !== null ? value : {};
}
