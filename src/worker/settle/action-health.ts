/**
 * Whether SQS carries out one kind of request that the end of every message needs. If not, a condition is raised. The first
 * request that is carried out clears it:
 *
 *   well ── two requests in a row fail, or one for a reason that does not pass by itself ─► failing ── one is carried out ─► well
 *
 * While the state is failing and no request for a message is left, because all leases have run out, a request that concerns no
 * message is made from time to time: without it the worker would wait forever.
 */
import { isTransient } from '../../queue/errors.ts';
import { type BackoffSettings, fullJitter } from '../../time/backoff.ts';
import { sleep } from '../../time/clock.ts';
import type { ConditionName, Conditions } from '../conditions.ts';

export interface ActionHealthOptions {
  readonly conditions: Conditions;
  readonly condition: ConditionName;
  /** Whether requests for messages are under way, or will be soon. */
  readonly busy: () => boolean;
  /** A request of this kind that concerns no message; throws if it is not carried out. */
  readonly probe: () => Promise<unknown>;
  readonly random: () => number;
  /** Aborted when the worker has stopped. */
  readonly ended: AbortSignal;
}

/** A receipt handle that belongs to no message. SQS checks the permission first, and then refuses the entry. */
export const NO_RECEIPT_HANDLE = 'ota-updater-asks-whether-it-may';

const probeBackoff: BackoffSettings = { baseMs: 1_000, maxMs: 30_000 };
/** The least wait before a probe, whatever the jitter, in milliseconds. */
const MIN_BACKOFF_MS = 100;

export class ActionHealth {
  readonly #options: ActionHealthOptions;
  /** Requests in a row that failed as a whole. */
  #failures = 0;
  #probing = false;

  constructor(options: ActionHealthOptions) {
    this.#options = options;
  }

  get failing(): boolean {
    return this.#options.conditions.has(this.#options.condition);
  }

  /** A request was answered, and at most refused because of its content. */
  carriedOut(): void {
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#options.conditions.clear(this.#options.condition);
  }

  /** A request as a whole was not carried out. @param error what was thrown, or one of its failed entries. */
  failed(error: unknown): void {
    this.#failures++;
    if (this.#failures === 1 && (!(error instanceof Error) || isTransient(error))) return;
    this.#options.conditions.raise(this.#options.condition, error);
    if (!this.#probing) void this.#probe();
  }

  async #probe(): Promise<void> {
    const { busy, probe, random, ended } = this.#options;
    this.#probing = true;
    for (let tries = 1; ; tries++) {
      await sleep(Math.max(MIN_BACKOFF_MS, fullJitter(probeBackoff, tries, random)), ended);
      if (ended.aborted || !this.failing) break;
      if (busy()) continue;
      try {
        await probe();
        this.carriedOut();
      } catch (error) {
        this.failed(error);
      }
    }
    this.#probing = false;
  }
}
