/** Deletes letters permanently; a dry run only counts them. */
import { packRequests } from '../../queue/batch.ts';
import { Groups } from '../letters/causes.ts';
import type { Filter } from '../letters/conditions.ts';
import type { Letter } from '../letters/letter.ts';
import type { HeldLetters } from '../pass/held.ts';
import { type LetterQueue, type PassResult, type PassSurroundings, passOver } from '../pass/pass.ts';
import { retryBatch } from '../pass/retry.ts';
import { type Audit, audited } from './audit.ts';

export interface PurgeOptions {
  readonly matches: Filter;
  /** Maximum number of letters to delete. */
  readonly limit: number;
  readonly dryRun: boolean;
}

export interface PurgeContext {
  readonly dead: LetterQueue;
  readonly surroundings: PassSurroundings;
  readonly audit: Audit;
  /** Called with the number deleted so far. */
  readonly onProgress?: (purged: number) => void;
}

export interface PurgeReport {
  readonly dryRun: boolean;
  readonly pass: PassResult | undefined;
  readonly matched: number;
  /** In a dry run, the message ids of the letters that would be deleted. */
  readonly chosen: ReadonlySet<string>;
  /** Letters deleted; in a dry run, those that would be. */
  readonly purged: number;
  /** Letters that could not be deleted: they stay. */
  readonly notDeleted: number;
  /** Causes of the letters that were deleted, or would be. */
  readonly groups: Groups;
  /** Why it ended early; undefined if it did not. */
  readonly error: unknown;
}

const unbounded = { limit: Number.POSITIVE_INFINITY, seconds: Number.POSITIVE_INFINITY };

/** Does not reject because of the queue's answers: the report says how far it came. */
export async function purge(options: PurgeOptions, context: PurgeContext): Promise<PurgeReport> {
  const { dead, surroundings } = context;
  const groups = new Groups();
  const chosen = new Set<string>();
  let matched = 0;
  let taken = 0;
  let purged = 0;
  let notDeleted = 0;
  let pass: PassResult | undefined;
  let error: unknown;
  const take = async (batch: readonly Letter[], held: HeldLetters): Promise<void> => {
    await context.audit({ event: 'letters', letters: batch.map(audited) });
    const byHandle = new Map(
      batch.map((letter) => [held.receiptHandle(letter.message.messageId) ?? '', letter]),
    );
    const failures = await retryBatch(
      [...byHandle.keys()],
      (handle) => handle,
      (some) => dead.delete(some),
      surroundings,
    );
    for (const { key } of failures) byHandle.delete(key);
    for (const letter of byHandle.values()) {
      held.forget(letter.message.messageId);
      groups.add(letter);
    }
    purged += byHandle.size;
    notDeleted += failures.length;
    context.onProgress?.(purged);
  };
  try {
    pass = await passOver(dead, unbounded, surroundings, async (letters, held) => {
      const now = surroundings.clock.wall();
      const meant = letters.filter((letter) => options.matches(letter, now));
      matched += meant.length;
      const more = meant.slice(0, options.limit - taken);
      taken += more.length;
      if (options.dryRun) {
        for (const letter of more) {
          chosen.add(letter.message.messageId);
          groups.add(letter);
        }
        return true;
      }
      for (const batch of packRequests(more)) {
        if (surroundings.signal.aborted) break;
        await take(batch, held);
      }
      return taken < options.limit;
    });
  } catch (thrown) {
    error = thrown;
  }
  return {
    dryRun: options.dryRun,
    pass,
    matched,
    chosen,
    purged: options.dryRun ? taken : purged,
    notDeleted,
    groups,
    error,
  };
}
