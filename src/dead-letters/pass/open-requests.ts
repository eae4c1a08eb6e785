/** What was asked of SQS and is not answered yet: whether SQS is away, and since when, while it is still waited for. */
import type { Watch } from './retry.ts';

/** What is not answered for longer is away, in milliseconds: a poll of a pass waits for a second. */
const AWAY_MS = 5_000;

export interface Away {
  /** When the oldest request was made that is not answered, in epoch milliseconds. */
  readonly since: number;
  /** Why its last try has failed, without a full stop; undefined while none has. */
  readonly why: string | undefined;
}

interface OpenRequest {
  readonly since: number;
  why: string | undefined;
}

export class OpenRequests {
  /** In the order in which they were begun. */
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
