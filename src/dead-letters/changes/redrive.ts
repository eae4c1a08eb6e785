/**
 * Moves letters back to the source queue, the canaries before all others; a dry run only selects them. Whatever
 * interrupts it, every letter is on one queue or on both.
 */

import { MAX_PAYLOAD_BYTES } from '../../queue/batch.ts';
import type { Filter } from '../letters/conditions.ts';
import type { Letter } from '../letters/letter.ts';
import { type LetterQueue, type PassResult, type PassSurroundings, passOver } from '../pass/pass.ts';
import { retryRequest } from '../pass/retry.ts';
import type { Audit } from './audit.ts';
import { type CanaryBounds, type CanaryVerdict, watchCanary } from './canary.ts';
import type { RedriveRules, SetFields } from './decide.ts';
import { Mover, type SourceQueue } from './move.ts';
import { Selection, type SelectionReport } from './selection.ts';

export interface RedriveOptions {
  readonly matches: Filter;
  readonly set: SetFields;
  /** Maximum number of letters to put back. */
  readonly limit: number;
  readonly ratePerSecond: number;
  /** Number of letters to put back first and to wait for. */
  readonly canary: number | undefined;
  readonly canaryBounds: CanaryBounds;
  /** How long to wait for the ends of all letters that were put back; undefined: not at all. */
  readonly endBounds?: CanaryBounds;
  readonly force: boolean;
}

export interface RedriveContext {
  readonly source: SourceQueue;
  readonly dead: LetterQueue;
  readonly surroundings: PassSurroundings;
  readonly audit: Audit;
  readonly onProgress: (sent: number) => void;
  /** Called when the canaries were sent. */
  readonly onCanary: (sent: number) => void;
  /** Called when all were sent, before waiting for their ends. */
  readonly onMoved?: (sent: number) => void;
}

export interface RedriveReport extends SelectionReport {
  readonly dryRun: boolean;
  /** The last pass. */
  readonly pass: PassResult;
  /** Letters put back; in a dry run, those that would be. */
  readonly redriven: number;
  /** Letters that are on both queues. */
  readonly notDeleted: number;
  readonly canary: CanaryVerdict | undefined;
  /** How the letters that were put back ended, if that was waited for. */
  readonly ends?: CanaryVerdict;
  /** Why it ended early; undefined if it did not. */
  readonly error: unknown;
}

const unbounded = { limit: Number.POSITIVE_INFINITY, seconds: Number.POSITIVE_INFINITY };
const untouched = { notDeleted: 0, canary: undefined, error: undefined };
const nothingSeen: PassResult = {
  seen: 0,
  about: undefined,
  heldByOthers: undefined,
  fifo: false,
  end: 'interrupted',
  notReleased: 0,
};

/** What `redrive` would do. Changes nothing. */
export async function planRedrive(
  options: RedriveOptions,
  context: Pick<RedriveContext, 'source' | 'dead' | 'surroundings'>,
): Promise<RedriveReport> {
  const { dead, surroundings } = context;
  const selection = new Selection(options.matches);
  const rules = await rulesOf(options, context);
  const pass = await passOver(dead, unbounded, surroundings, async (letters) => {
    selection.choose(letters, options.limit - selection.chosen, rules, surroundings.clock.wall());
    return true;
  });
  return { ...selection.report, dryRun: true, pass, redriven: selection.chosen, ...untouched };
}

/** Puts letters back. Does not reject because of the queues' answers: the report says how far it came. */
export async function redrive(options: RedriveOptions, context: RedriveContext): Promise<RedriveReport> {
  const { dead, surroundings } = context;
  const mover = new Mover({ ...context, ...surroundings, ratePerSecond: options.ratePerSecond });
  const selection = new Selection(options.matches, (letter) => mover.knows(letter));
  let pass = nothingSeen;
  let canary: CanaryVerdict | undefined;
  let ends: CanaryVerdict | undefined;
  /** Sent before the last pass. */
  let before = 0;
  let error: unknown;
  const movePass = async (limit: number, rules: RedriveRules): Promise<void> => {
    selection.beginPass();
    const wanted = selection.chosen + limit;
    pass = await passOver(dead, unbounded, surroundings, async (letters, held) => {
      const room = wanted - selection.chosen;
      await mover.move(selection.choose(letters, room, rules, surroundings.clock.wall()), held);
      return selection.chosen < wanted;
    });
  };
  const watch = (bounds: CanaryBounds, moved: number): Promise<CanaryVerdict> => {
    const expected = pass.about === undefined ? undefined : pass.about - moved;
    const sent = (letter: Letter): boolean => mover.knows(letter);
    return watchCanary({ ...context, bounds, sent, expected });
  };
  try {
    const rules = await rulesOf(options, context);
    const first = Math.min(options.canary ?? options.limit, options.limit);
    await movePass(first, rules);
    if (options.canary !== undefined && mover.sent > 0 && !surroundings.signal.aborted) {
      context.onCanary(mover.sent);
      canary = await watch(options.canaryBounds, mover.sent);
      before = mover.sent;
      if (canary.verdict === 'good' && options.limit > first) await movePass(options.limit - first, rules);
    }
    // If the canaries were all the letters, their ends are already known.
    const alreadyKnown = canary !== undefined && (canary.verdict !== 'good' || mover.sent <= first);
    if (options.endBounds !== undefined && mover.sent > 0 && !surroundings.signal.aborted && !alreadyKnown) {
      context.onMoved?.(mover.sent);
      ends = await watch(options.endBounds, mover.sent - before);
    }
  } catch (thrown) {
    error = thrown;
  }
  const { refused } = selection.report;
  for (const failure of mover.refused) refused.addFailure(failure);
  return {
    ...selection.report,
    dryRun: false,
    pass,
    redriven: mover.sent,
    notDeleted: mover.notDeleted,
    canary,
    ...(ends !== undefined && { ends }),
    error,
  };
}

async function rulesOf(
  { set, force }: RedriveOptions,
  { source, surroundings }: Pick<RedriveContext, 'source' | 'surroundings'>,
): Promise<RedriveRules> {
  const { arn, fifo, maximumMessageBytes } = await retryRequest(
    () => source.attributes(),
    surroundings,
    surroundings.signal,
  );
  return {
    set,
    force,
    queueUrl: source.url,
    queueArn: arn,
    fifo,
    maxBytes: maximumMessageBytes ?? MAX_PAYLOAD_BYTES,
    now: surroundings.clock.wall(),
  };
}
