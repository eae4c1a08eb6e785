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
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { readLimitsText } from '../config/limits-text.ts';
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

/** What is at the path: its text, nothing, or a reason why it cannot be read. */
type Seen = { readonly text: string } | { readonly absent: true } | { readonly fault: string };

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
    const seen = await read(this.#options.path);
    const key = JSON.stringify(seen);
    const settled = key === this.#seen;
    this.#seen = key;
    if (!settled || key === this.#taken) return;
    this.#taken = key;
    const limits = limitsOf(seen);
    if (limits instanceof Error) {
      this.#options.onFault(limits);
      return;
    }
    this.#options.onFault(undefined);
    this.#options.say(limits);
  }
}

function limitsOf(seen: Seen): Limits | Error {
  if ('absent' in seen) return noLimits;
  const said = 'fault' in seen ? seen.fault : readLimitsText(seen.text);
  if (typeof said === 'string')
    return Object.assign(new Error(remoteText(said)), { name: 'LimitsFileError' });
  const { rate, concurrency, by, reason } = said;
  const who = { by: by && remoteText(by), reason: reason && remoteText(reason) };
  return {
    rate: { value: rate, ...who },
    concurrency: { value: concurrency, ...who },
  };
}

async function read(path: string): Promise<Seen> {
  let file: FileHandle | undefined;
  try {
    // A pipe would wait for a writer.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stats = await file.stat();
    if (!stats.isFile()) return { fault: 'it is no regular file' };
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_BYTES + 1), 0, MAX_BYTES + 1, 0);
    if (bytesRead > MAX_BYTES) return { fault: `it is larger than ${MAX_BYTES} bytes` };
    return { text: buffer.toString('utf8', 0, bytesRead) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? { absent: true } : { fault: `it cannot be read: ${code ?? message}` };
  } finally {
    await file?.close().catch(() => undefined);
  }
}
