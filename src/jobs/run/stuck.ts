/** Notices that a job is stuck: it waits for something that is to change, and nothing has for long. */
import type { Counts } from '../ledger/job.ts';
import type { Wait } from '../rules/decide.ts';
import type { DeviceWatch } from '../verify/device-watch.ts';

/** In milliseconds: longer than workers hold a row back for throttling and pauses of theirs. */
export const STUCK_MS = 600_000;
/** Devices take longer than rows: they load an image, and wait for a time at which they may. */
export const DEVICES_STUCK_MS = 3_600_000;

/** What is there of a job at a look at it. */
interface Moving {
  readonly counts: Pick<Counts, 'ended' | 'inFlight'>;
  /** Of a job that runs. */
  readonly waitsFor: Wait | undefined;
  readonly devices: Pick<DeviceWatch, 'seen' | 'failed'>;
}

export class StuckWatch {
  readonly #rows: Standstill;
  readonly #look: Standstill;
  readonly #devices: Standstill;

  /** @param now milliseconds, monotonic. */
  constructor(now: () => number) {
    this.#rows = new Standstill(now, STUCK_MS);
    this.#look = new Standstill(now, STUCK_MS);
    this.#devices = new Standstill(now, DEVICES_STUCK_MS);
  }

  /**
   * @returns true when it has become stuck, once until something has changed: rows are in flight and none has ended; or it waits for its
   * devices, which cannot be looked at, or of which none has ended or been named.
   */
  look({ counts, waitsFor, devices }: Moving): boolean {
    const verifies = waitsFor?.for === 'verify';
    const { at = 0, inWait, ended = 0, underWay = 0 } = devices.seen ?? {};
    return [
      this.#rows.stands(counts.inFlight === 0 ? undefined : `${counts.ended}`),
      this.#look.stands(verifies && devices.failed ? `${at}` : undefined),
      this.#devices.stands(verifies && inWait === waitsFor.since ? `${ended} ${underWay}` : undefined),
    ].some(Boolean);
  }
}

/** Something that is to change. */
class Standstill {
  readonly #now: () => number;
  readonly #ms: number;
  #seen: string | undefined;
  #since = 0;
  #told = false;

  constructor(now: () => number, ms: number) {
    this.#now = now;
    this.#ms = ms;
  }

  /** @param seen what is to change; undefined: nothing is. @returns true when it has stood still for so long: once, until it changes. */
  stands(seen: string | undefined): boolean {
    if (seen === undefined || seen !== this.#seen) {
      this.#seen = seen;
      this.#since = this.#now();
      this.#told = false;
      return false;
    }
    if (this.#told || this.#now() - this.#since < this.#ms) return false;
    this.#told = true;
    return true;
  }
}
