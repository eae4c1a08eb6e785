/**
 * Waits for the first letters of a redrive to end.
 *
 * SQS does not say what became of one message, and the outcomes belong to the ledger. So: the source queue has to be
 * empty for a while, and then a look through the dead letters has to find none of those that were sent.
 */

import type { Letter } from '../letters/letter.ts';
import { type LetterQueue, MAX_IN_FLIGHT, type PassSurroundings, passOver } from '../pass/pass.ts';
import { retryRequest } from '../pass/retry.ts';
import type { SourceQueue } from './move.ts';

export interface CanaryBounds {
  /** Seconds to wait for the end at most. */
  readonly seconds: number;
  /** Seconds that the source queue must have counted nothing: its counts lag by up to a minute. */
  readonly quietSeconds: number;
}

export type CanaryVerdict =
  | { readonly verdict: 'good' }
  | { readonly verdict: 'came-back'; readonly letters: readonly Letter[] }
  /** No telling. `why` as a sentence without its full stop. */
  | { readonly verdict: 'unknown'; readonly why: string }
  | { readonly verdict: 'interrupted' };

export interface CanaryOptions {
  readonly source: SourceQueue;
  readonly dead: LetterQueue;
  readonly bounds: CanaryBounds;
  /** Whether a letter is one of those that were sent. */
  readonly sent: (letter: Letter) => boolean;
  /** Letters that should be on the dead-letter queue now, going by its counts. */
  readonly expected: number | undefined;
  readonly surroundings: PassSurroundings;
}

/** Letters kept as proof. */
const MAX_PROOF = 100;

export async function watchCanary(options: CanaryOptions): Promise<CanaryVerdict> {
  const { source, dead, bounds, sent, expected, surroundings } = options;
  const { signal } = surroundings;
  if (!(await sourceIsQuiet(source, bounds, surroundings))) {
    if (signal.aborted) return { verdict: 'interrupted' };
    const why = `the source queue was not empty for ${bounds.quietSeconds} s on end within ${bounds.seconds} s: is a worker running, or does other work keep coming`;
    return { verdict: 'unknown', why };
  }
  const back: Letter[] = [];
  const look = await passOver(
    dead,
    { limit: MAX_IN_FLIGHT, seconds: bounds.seconds },
    surroundings,
    async (letters) => {
      back.push(...letters.filter(sent).slice(0, MAX_PROOF - back.length));
      return true;
    },
  );
  if (back.length > 0) return { verdict: 'came-back', letters: back };
  if (look.end === 'interrupted') return { verdict: 'interrupted' };
  if (look.end !== 'through')
    return { verdict: 'unknown', why: 'not all dead letters could be looked through for them' };
  // A held group hides what is behind it: there the count has to do.
  if (look.fifo && expected !== undefined && (look.about ?? 0) > expected)
    return {
      verdict: 'unknown',
      why: `the dead-letter queue grew meanwhile (${look.about} letters, not ${expected})`,
    };
  return { verdict: 'good' };
}

async function sourceIsQuiet(
  source: SourceQueue,
  { seconds, quietSeconds }: CanaryBounds,
  surroundings: PassSurroundings,
): Promise<boolean> {
  const { clock, sleep, signal } = surroundings;
  const lookMs = Math.min(5_000, Math.max(200, quietSeconds * 250));
  const endsAt = clock.monotonic() + seconds * 1_000;
  let quietSince = Number.POSITIVE_INFINITY;
  for (;;) {
    await sleep(lookMs, signal);
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
