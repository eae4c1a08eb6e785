/**
 * Follows the limits set for the fleet through Redis. While Redis is unreachable, the last known limits stay in force. The
 * parts that share through Redis report the outage (conditions `sharing-rate` and `sharing-marks`).
 */
import { type FleetLimit, FleetLimitsError, type FleetLimitsStore } from '../ota/fleet-limits.ts';
import type { Limit, Limits } from './bounds.ts';

/** Between two looks, in milliseconds. */
const ASK_EVERY_MS = 1_000;

export interface FleetFollowerOptions {
  readonly connect: () => Promise<Pick<FleetLimitsStore, 'read' | 'close'>>;
  readonly say: (limits: Limits) => void;
  /** Called with the fault in Redis's data at each look that finds another one; undefined: no fault. */
  readonly onFault: (fault: Error | undefined) => void;
  /** Resolves after `ms` milliseconds, or when the signal aborts; never rejects. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export class FleetFollower {
  readonly #options: FleetFollowerOptions;
  #store: Pick<FleetLimitsStore, 'read' | 'close'> | undefined;
  #fault: string | undefined;

  constructor(options: FleetFollowerOptions) {
    this.#options = options;
  }

  /**
   * Looks at once, then repeatedly until the signal aborts. @param onFirst called after the first look, whatever it found.
   */
  async follow(signal: AbortSignal, onFirst: () => void): Promise<void> {
    await this.look();
    onFirst();
    while (!signal.aborted) {
      await this.#options.sleep(ASK_EVERY_MS, signal);
      if (!signal.aborted) await this.look();
    }
    this.#store?.close();
  }

  /** Never rejects. */
  async look(): Promise<void> {
    const { connect, say, onFault } = this.#options;
    try {
      this.#store ??= await connect();
      const { rate, concurrency } = await this.#store.read();
      this.#fault = undefined;
      onFault(undefined);
      say({ rate: toLimit(rate), concurrency: toLimit(concurrency) });
    } catch (error) {
      if (error instanceof FleetLimitsError) {
        if (error.message !== this.#fault) onFault(error);
        this.#fault = error.message;
        return;
      }
      this.#store?.close();
      this.#store = undefined;
    }
  }
}

function toLimit(limit: FleetLimit | undefined): Limit {
  return limit === undefined ? {} : { value: limit.value ?? undefined, by: limit.by, reason: limit.reason };
}
