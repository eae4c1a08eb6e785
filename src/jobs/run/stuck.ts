/** Detects that a job is stuck: it waits for a change, and nothing has changed for a long time. */
import type { Counts } from '../ledger/job.ts';
import type { Wait } from '../rules/decide.ts';
import type { DeviceWatch } from '../verify/device-watch.ts';

/** In milliseconds: longer than workers delay a row because of throttling or pauses. */
export const STUCK_MS = 600_000;
/** Devices take longer than rows: they download an image, and may wait for a permitted time. */
export const DEVICES_STUCK_MS = 3_600_000;

/** The state of a job at one look. */
interface Moving {
  readonly counts: Pick<Counts, 'ended' | 'inFlight'>;
  /** For a running job. */
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
   * @returns true when the job has become stuck, and then once until something has changed: rows are in flight and none ends; or it
   * waits for its devices, and they cannot be looked at, or none ends or is named.
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

/** A value that is expected to change. */
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

  /** @param seen the value that should change; undefined: nothing should. @returns true once when it has not changed for too long. */
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
