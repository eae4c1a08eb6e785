/** The time by the server's clock, read off the `Date` header of its answers. */
import type { Clock } from '../time/clock.ts';
import { parseHttpDate } from '../time/http-date.ts';
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

export interface ServerTimeListener {
  /** Asked after each answer: reading the time of every one of them costs time. */
  readonly wantsTime: boolean;
  /**
   * An answer with a date has come.
   * @param at what the server's time is now, in epoch milliseconds. Good to about a second: the header has no finer resolution.
   */
  answered(at: number): void;
}

/** The header is made when the answer is, and of a long poll that is at its end. */
const LONGEST_EXCHANGE_MS = 2_000;

/**
 * Watches every answer of `client`, one that `createSqsClient` made, from now on, refusals included: a clock that is
 * far off is refused, and the refusal carries the right time.
 */
export function watchServerTime(
  client: WatchedClient,
  { wall, monotonic }: Clock,
  listener: ServerTimeListener,
): void {
  client.middlewareStack.addRelativeTo(
    <Args, Answer extends { readonly response: unknown }>(next: (args: Args) => Promise<Answer>) =>
      async (args: Args): Promise<Answer> => {
        const askedAt = monotonic();
        const result = await next(args);
        if (!listener.wantsTime) return result;
        const servedAt = parseHttpDate(dateHeader(result.response) ?? '', wall());
        // The header drops the fraction of its second; the answer was made about half-way through the exchange.
        if (servedAt !== undefined)
          listener.answered(servedAt + 500 + Math.min(monotonic() - askedAt, LONGEST_EXCHANGE_MS) / 2);
        return result;
      },
    // Near the wire, so that it sees an answer before that becomes an error.
    { relation: 'before', toMiddleware: NEAREST_TO_THE_WIRE.name, name: 'serverTimeWatch' },
  );
}

/**
 * The same as a difference.
 * @returns a reader of how far this machine's clock was ahead of the server's at the latest answer, in milliseconds;
 * undefined before the first answer that carries a date.
 */
export function watchClockSkew(client: WatchedClient, clock: Clock): () => number | undefined {
  let skewMs: number | undefined;
  watchServerTime(client, clock, {
    wantsTime: true,
    answered: (at) => {
      skewMs = clock.wall() - at;
    },
  });
  return () => skewMs;
}

function dateHeader(response: unknown): string | undefined {
  if (typeof response !== 'object' || response === null || !('headers' in response)) return undefined;
  const headers = response.headers;
  if (typeof headers !== 'object' || headers === null) return undefined;
  const entry = Object.entries(headers).find(([name]) => name.toLowerCase() === 'date');
  return typeof entry?.[1] === 'string' ? entry[1] : undefined;
}
