/** How far the local clock is from SQS's, read off the `Date` header of its answers. */

import { NEAREST_TO_THE_WIRE } from './open-call.ts';

type Middleware = <Args, Answer extends { readonly response: unknown }>(
  next: (args: Args) => Promise<Answer>,
) => (args: Args) => Promise<Answer>;

/** The part of an SDK client that is needed. */
interface WatchedClient {
  readonly middlewareStack: {
    addRelativeTo(
      middleware: Middleware,
      options: { relation: 'before'; toMiddleware: string; name: string },
    ): void;
  };
}

/**
 * Watches every answer of `client`, one that `createSqsClient` made, from now on, refusals included: a clock that is
 * far off is refused, and the refusal carries the right time.
 * @param now the local clock, in epoch milliseconds.
 * @returns a reader of the latest skew in milliseconds, positive when the local clock is ahead; undefined before
 * the first answer that carries a date. Good to about a second: the header has no finer resolution.
 */
export function watchClockSkew(client: WatchedClient, now: () => number): () => number | undefined {
  let skewMs: number | undefined;
  client.middlewareStack.addRelativeTo(
    <Args, Answer extends { readonly response: unknown }>(next: (args: Args) => Promise<Answer>) =>
      async (args: Args): Promise<Answer> => {
        const askedAt = now();
        const result = await next(args);
        const servedAt = Date.parse(dateHeader(result.response) ?? '');
        // The header drops the fraction of its second; the answer was made about half-way through the exchange.
        if (!Number.isNaN(servedAt)) skewMs = (askedAt + now()) / 2 - (servedAt + 500);
        return result;
      },
    // Near the wire, so that it sees an answer before that becomes an error.
    { relation: 'before', toMiddleware: NEAREST_TO_THE_WIRE.name, name: 'clockSkewWatch' },
  );
  return () => skewMs;
}

function dateHeader(response: unknown): string | undefined {
  if (typeof response !== 'object' || response === null || !('headers' in response)) return undefined;
  const headers = response.headers;
  if (typeof headers !== 'object' || headers === null) return undefined;
  const entry = Object.entries(headers).find(([name]) => name.toLowerCase() === 'date');
  return typeof entry?.[1] === 'string' ? entry[1] : undefined;
}
