/**
 * Follows the file named by `LIMITS_FILE`. It is opened anew by its path each time. So a swapped link, as Kubernetes does
 * with a ConfigMap, works like an overwritten file.
 *
 * Only content found by two looks in a row is used: a file that is being written may be read half, or be absent for a
 * moment.
 *
 *   absent   ─ no file: it sets nothing, the environment's values hold
 *   said     ─ its values
 *   faulty   ─ it cannot be read or understood: its earlier values stay in force
 */
import { readLimitsText } from '../config/limits-text.ts';
import { readSmallFile, type SmallFile } from '../files/small-file.ts';
import { remoteText } from '../text/remote.ts';
import { type Limits, noLimits } from './bounds.ts';

/** The file has four short lines. */
const MAX_BYTES = 65_536;
/** Between two looks, in milliseconds. */
const LOOK_EVERY_MS = 500;

export interface LimitsFileOptions {
  readonly path: string;
  readonly say: (limits: Limits) => void;
  /** Called with the fault in the file at every look that finds a new one, and with undefined once the file is right. */
  readonly onFault: (fault: Error | undefined) => void;
  /** Resolves after `ms` milliseconds, or when the signal aborts; never rejects. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export class LimitsFile {
  readonly #options: LimitsFileOptions;
  /** What the last look found, and what was used last. */
  #seen: string | undefined;
  #taken: string | undefined;

  constructor(options: LimitsFileOptions) {
    this.#options = options;
  }

  /** Uses the current content at once, at the start, when there are no earlier values. */
  async begin(): Promise<void> {
    await this.look();
    await this.look();
  }

  /** Looks repeatedly until the signal aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.sleep(LOOK_EVERY_MS, signal);
      if (!signal.aborted) await this.look();
    }
  }

  /** Never rejects. */
  async look(): Promise<void> {
    const seen = await readSmallFile(this.#options.path, { maxBytes: MAX_BYTES, links: true });
    const key = JSON.stringify(seen);
    const settled = key === this.#seen;
    this.#seen = key;
    if (!settled || key === this.#taken) return;
    this.#taken = key;
    const limits = limitsOf(this.#options.path, seen);
    if (limits instanceof Error) {
      this.#options.onFault(limits);
      return;
    }
    this.#options.onFault(undefined);
    this.#options.say(limits);
  }
}

function limitsOf(path: string, seen: SmallFile): Limits | Error {
  if ('absent' in seen) return noLimits;
  const said = 'fault' in seen ? seen.fault : readLimitsText(seen.text);
  if (typeof said === 'string')
    return Object.assign(new Error(`${path}: ${remoteText(said)}`), { name: 'LimitsFileError' });
  const { rate, concurrency, by, reason } = said;
  const who = { by: by && remoteText(by), reason: reason && remoteText(reason) };
  return {
    rate: { value: rate, ...who },
    concurrency: { value: concurrency, ...who },
  };
}
