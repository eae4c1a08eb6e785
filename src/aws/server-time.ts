/** The time by the server's clock, read from the `Date` header of its answers. */
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
  /** Checked after each answer, because reading the time of every answer costs time. */
  readonly wantsTime: boolean;
  /**
   * An answer with a date has come.
   * @param at the server's current time, in epoch milliseconds. Accurate to about a second: the header has no finer resolution.
   */
  answered(at: number): void;
}

/** The header is made together with the answer, which for a long poll is at its end. */
const LONGEST_EXCHANGE_MS = 2_000;

/**
 * From now on watches every answer of `client`, which `createSqsClient` must have made. Refusals count too: a request with a
 * clock far off is refused, and the refusal carries the right time.
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
        // The header drops the fraction of its second; the answer was made about halfway through the exchange.
        if (servedAt !== undefined)
          listener.answered(servedAt + 500 + Math.min(monotonic() - askedAt, LONGEST_EXCHANGE_MS) / 2);
        return result;
      },
    // Near the wire, to see an answer before it becomes an error.
    { relation: 'before', toMiddleware: NEAREST_TO_THE_WIRE.name, name: 'serverTimeWatch' },
  );
}

/**
 * As {@link watchServerTime}, but as a difference.
 * @returns a function that gives how far this machine's clock was ahead of the server's at the latest answer, in milliseconds;
 * undefined before the first answer with a date.
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
