/**
 * Bounds the waiting for claims that others hold. A claim ends with its call, or soon after its worker has died; one that
 * does not become free must not keep slots from messages that could be called for.
 */
export interface ClaimWaitsOptions {
  /** How long to wait for one claim, in milliseconds: longer than a claim lasts after its worker has died. */
  readonly longestMs: number;
  /** Deliveries that wait at once, at most. */
  readonly most: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** A claim was not free in time; false: each of these has been free since, or was not asked for in a while. */
  readonly onStuck: (stuck: boolean) => void;
}

/** Leave of one delivery to wait for a claim. */
export interface ClaimWait {
  /** Whether it has lasted too long. */
  isOver(): boolean;
  end(): void;
}

/** Longest time that a message is deferred for, in seconds. */
const MAX_DEFER_SECONDS = 120;
/** An Identifier not asked for in this time is another worker's by now, in milliseconds. */
const FORGET_AFTER_MS = 3 * MAX_DEFER_SECONDS * 1_000;
const REVIEW_EVERY_MS = 60_000;

/** Monotonic milliseconds. */
interface HeldClaim {
  /** When it was first found held; a redelivery of the message does not begin anew. */
  readonly since: number;
  triedAt: number;
  stuck: boolean;
}

export class ClaimWaits {
  readonly #options: ClaimWaitsOptions;
  /** By Identifier. */
  readonly #held = new Map<string, HeldClaim>();
  #waiting = 0;
  #stuck = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ClaimWaitsOptions) {
    this.#options = options;
  }

  /** Deliveries that wait for a claim. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * The claim of `identifier` was found held.
   * @returns undefined when it is not to be waited for: it has been held for too long, or too many wait.
   */
  begin(identifier: string): ClaimWait | undefined {
    const isOver = (): boolean => this.#isOver(identifier);
    if (isOver() || this.#waiting >= this.#options.most) return undefined;
    this.#waiting++;
    return {
      isOver,
      end: () => {
        this.#waiting--;
      },
    };
  }

  /** The claim was free. */
  had(identifier: string): void {
    if (this.#held.size > 0 && this.#held.delete(identifier)) this.#review();
  }

  /** Seconds to defer a message for that is not to wait: a claim whose worker died, or that has no end, may be free then. */
  deferSeconds(random: () => number): number {
    return Math.ceil(Math.min(this.#options.longestMs / 1_000, MAX_DEFER_SECONDS) * (0.5 + random() / 2));
  }

  #isOver(identifier: string): boolean {
    const now = this.#options.now();
    const held = this.#held.get(identifier) ?? { since: now, triedAt: now, stuck: false };
    this.#held.set(identifier, held);
    held.triedAt = now;
    held.stuck = now - held.since > this.#options.longestMs;
    this.#timer ??= setInterval(() => this.#review(), REVIEW_EVERY_MS).unref();
    if (held.stuck) this.#say(true);
    return held.stuck;
  }

  #review(): void {
    const forgotten = this.#options.now() - FORGET_AFTER_MS;
    for (const [identifier, { triedAt }] of this.#held)
      if (triedAt < forgotten) this.#held.delete(identifier);
    if (this.#held.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    if (this.#stuck && ![...this.#held.values()].some(({ stuck }) => stuck)) this.#say(false);
  }

  #say(stuck: boolean): void {
    if (this.#stuck === stuck) return;
    this.#stuck = stuck;
    this.#options.onStuck(stuck);
  }
}
