/**
 * Bounds the waiting for claims that other workers hold. A claim ends with its call, or soon after its worker has died. A
 * claim that does not become free must not keep slots from messages that could be called for.
 */
export interface ClaimWaitsOptions {
  /** How long to wait for one claim, in milliseconds: longer than a claim lasts after its worker has died. */
  readonly longestMs: number;
  /** The most deliveries that wait at once. */
  readonly most: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /**
   * True: a claim was not free in time. False: each of these claims has been free since, or was not asked for in a while.
   */
  readonly onStuck: (stuck: boolean) => void;
}

/** Permission for one delivery to wait for a claim. */
export interface ClaimWait {
  /** Whether the wait has lasted too long. */
  isOver(): boolean;
  end(): void;
}

/** The longest deferral of a message, in seconds. */
const MAX_DEFER_SECONDS = 120;
/** An Identifier not asked for in this time is assumed to be handled by another worker, in milliseconds. */
const FORGET_AFTER_MS = 3 * MAX_DEFER_SECONDS * 1_000;
const REVIEW_EVERY_MS = 60_000;

/** Monotonic milliseconds. */
interface HeldClaim {
  /** When the claim was first found held. A redelivery of the message does not reset it. */
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
   * @returns undefined when waiting is not allowed: the claim has been held for too long, or too many deliveries wait.
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

  /**
   * Seconds to defer a message that may not wait. By then a claim of a dead worker, or one without an expiry, may be free.
   */
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
