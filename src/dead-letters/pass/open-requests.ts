/** Requests to SQS without an answer: whether SQS is away, and since when, while the answers are still awaited. */
import type { Watch } from './retry.ts';

/**
 * SQS counts as away if a request has no answer after this time, in milliseconds: a poll of a pass takes up to a
 * second.
 */
const AWAY_MS = 5_000;

export interface Away {
  /** When the oldest open request was made, in epoch milliseconds. */
  readonly since: number;
  /** Why its last attempt failed, without a full stop; undefined if none has failed. */
  readonly why: string | undefined;
}

interface OpenRequest {
  readonly since: number;
  why: string | undefined;
}

export class OpenRequests {
  /** In the order of their start. */
  readonly #open = new Set<OpenRequest>();
  readonly #now: () => number;
  readonly #explain: (error: unknown) => string | undefined;

  /** @param now epoch milliseconds. */
  constructor(now: () => number, explain: (error: unknown) => string | undefined) {
    this.#now = now;
    this.#explain = explain;
  }

  readonly watch: Watch = async (work) => {
    const request: OpenRequest = { since: this.#now(), why: undefined };
    this.#open.add(request);
    try {
      return await work((error) => {
        request.why = this.#explain(error);
      });
    } finally {
      this.#open.delete(request);
    }
  };

  /** undefined while SQS answers. */
  get away(): Away | undefined {
    const [oldest] = this.#open;
    return oldest !== undefined && this.#now() - oldest.since > AWAY_MS ? { ...oldest } : undefined;
  }
}
