/**
 * Waits until the first letters of a redrive, the canaries, have been processed.
 *
 * SQS does not report what became of a single message, and outcomes belong to the jobs. The source queue must therefore be empty
 * for a while, and then a pass over the dead letters must find none of the letters that were sent.
 */

import type { Letter } from '../letters/letter.ts';
import { type LetterQueue, MAX_IN_FLIGHT, type PassSurroundings, passOver } from '../pass/pass.ts';
import { retryRequest } from '../pass/retry.ts';
import type { SourceQueue } from './move.ts';

export interface CanaryBounds {
  /** Maximum wait in seconds. */
  readonly seconds: number;
  /** Seconds for which the source queue must report no messages: its counts lag by up to a minute. */
  readonly quietSeconds: number;
}

export type CanaryVerdict =
  | { readonly verdict: 'good' }
  | { readonly verdict: 'came-back'; readonly letters: readonly Letter[] }
  /** `why` is a sentence without its full stop. */
  | { readonly verdict: 'unknown'; readonly why: string }
  | { readonly verdict: 'interrupted' };

export interface CanaryOptions {
  readonly source: SourceQueue;
  readonly dead: LetterQueue;
  readonly bounds: CanaryBounds;
  /** Whether a letter is one of those that were sent. */
  readonly sent: (letter: Letter) => boolean;
  /** The number of letters that the dead-letter queue should report now. */
  readonly expected: number | undefined;
  readonly surroundings: PassSurroundings;
}

/** Maximum number of returned letters kept for the report. */
const MAX_PROOF = 100;

export async function watchCanary(options: CanaryOptions): Promise<CanaryVerdict> {
  const { source, dead, bounds, sent, expected, surroundings } = options;
  const { signal } = surroundings;
  if (!(await sourceIsQuiet(source, bounds, surroundings))) {
    if (signal.aborted) return { verdict: 'interrupted' };
    const why = `the source queue was never empty for ${bounds.quietSeconds} s on end within ${bounds.seconds} s: either no worker is running, or other messages keep arriving`;
    return { verdict: 'unknown', why };
  }
  const back: Letter[] = [];
  const search = await passOver(
    dead,
    { limit: MAX_IN_FLIGHT, seconds: bounds.seconds },
    surroundings,
    async (letters) => {
      back.push(...letters.filter(sent).slice(0, MAX_PROOF - back.length));
      return true;
    },
  );
  if (back.length > 0) return { verdict: 'came-back', letters: back };
  if (search.end === 'interrupted') return { verdict: 'interrupted' };
  if (search.end !== 'through')
    return { verdict: 'unknown', why: 'the dead-letter queue could not be searched completely' };
  // In a FIFO queue, letters that a pass holds hide others of their groups: only the count reveals those.
  if (search.fifo && expected !== undefined && (search.about ?? 0) > expected)
    return {
      verdict: 'unknown',
      why: `the dead-letter queue has grown (${search.about} letters, not ${expected})`,
    };
  return { verdict: 'good' };
}

async function sourceIsQuiet(
  source: SourceQueue,
  { seconds, quietSeconds }: CanaryBounds,
  surroundings: PassSurroundings,
): Promise<boolean> {
  const { clock, sleep, signal } = surroundings;
  const pollMs = Math.min(5_000, Math.max(200, quietSeconds * 250));
  const endsAt = clock.monotonic() + seconds * 1_000;
  let quietSince = Number.POSITIVE_INFINITY;
  for (;;) {
    await sleep(pollMs, signal);
    if (signal.aborted) return false;
    const {
      visible = 1,
      notVisible = 0,
      delayed = 0,
    } = await retryRequest(() => source.attributes(), surroundings, signal);
    const now = clock.monotonic();
    quietSince = visible + notVisible + delayed > 0 ? Number.POSITIVE_INFINITY : Math.min(quietSince, now);
    if (now - quietSince >= quietSeconds * 1_000) return true;
    if (now >= endsAt) return false;
  }
}
