/**
 * Follows the file named by `LIMITS_FILE`. It is looked at again and again by its path, so that a link that is swapped, as
 * Kubernetes does with a ConfigMap, is as good as a file that is written over.
 *
 * Only what two looks in a row found is taken: a file that is just being written is read half, or is not there for a moment.
 *
 *   absent   ─ no file: it says nothing, the environment's values hold
 *   said     ─ its values
 *   faulty   ─ it cannot be read, or not understood: what it said before goes on
 */
import { readLimitsText } from '../config/limits-text.ts';
import { readSmallFile, type SmallFile } from '../files/small-file.ts';
import { remoteText } from '../text/remote.ts';
import { type Limits, noLimits } from './bounds.ts';

/** A file of four short lines. */
const MAX_BYTES = 65_536;
/** Between two looks, in milliseconds. */
const LOOK_EVERY_MS = 500;

export interface LimitsFileOptions {
  readonly path: string;
  readonly say: (limits: Limits) => void;
  /** Called with what is wrong with the file, at every look that finds a new fault, and with undefined once it is right. */
  readonly onFault: (fault: Error | undefined) => void;
  /** Resolves after so long, or when the signal aborts; never rejects. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export class LimitsFile {
  readonly #options: LimitsFileOptions;
  /** What the last look found, and what was taken last. */
  #seen: string | undefined;
  #taken: string | undefined;

  constructor(options: LimitsFileOptions) {
    this.#options = options;
  }

  /** Takes what is there now, at a start: nobody has said anything before. */
  async begin(): Promise<void> {
    await this.look();
    await this.look();
  }

  /** Looks until the signal aborts. */
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
