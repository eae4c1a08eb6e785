/**
 * Moves letters back to the source queue, the canaries before all others; a dry run only selects them. Whatever stops it,
 * every letter is on one queue or on both.
 */

import { MAX_PAYLOAD_BYTES } from '../../queue/batch.ts';
import { Groups } from '../letters/causes.ts';
import type { Filter } from '../letters/conditions.ts';
import type { Letter } from '../letters/letter.ts';
import type { HeldLetters } from '../pass/held.ts';
import { type LetterQueue, type PassResult, type PassSurroundings, passOver } from '../pass/pass.ts';
import { retryRequest } from '../pass/retry.ts';
import type { Audit } from './audit.ts';
import { type CanaryBounds, type CanaryVerdict, watchCanary } from './canary.ts';
import { decideRedrive, type RedriveRules, type SetFields } from './decide.ts';
import { Mover, type Redriven, type SourceQueue } from './move.ts';
import { Refusals } from './refusals.ts';

export interface RedriveOptions {
  readonly matches: Filter;
  readonly set: SetFields;
  /** Letters to put back at most. */
  readonly limit: number;
  readonly ratePerSecond: number;
  /** Letters to put back first, and to wait for. */
  readonly canary: number | undefined;
  readonly canaryBounds: CanaryBounds;
  readonly force: boolean;
}

export interface RedriveContext {
  readonly source: SourceQueue;
  readonly dead: LetterQueue;
  readonly surroundings: PassSurroundings;
  readonly audit: Audit;
  readonly onProgress: (sent: number) => void;
  /** Called when the canaries have been sent. */
  readonly onCanary: (sent: number) => void;
}

export interface RedriveReport {
  readonly dryRun: boolean;
  /** The last pass. */
  readonly pass: PassResult;
  /** Letters seen that match the conditions. */
  readonly matched: number;
  /** Letters put back; on a dry run those that would be. */
  readonly redriven: number;
  /** Letters that are on both queues. */
  readonly notDeleted: number;
  /** Letters that were dead-lettered again while the command ran: they are left where they are. */
  readonly cameBack: number;
  readonly refused: Refusals;
  /** The letters put back, by cause. */
  readonly groups: Groups;
  readonly canary: CanaryVerdict | undefined;
  /** Why it ended early; undefined when it did not. */
  readonly error: unknown;
}

/** What `redrive` would do. Changes nothing. */
export async function planRedrive(
  options: RedriveOptions,
  context: Pick<RedriveContext, 'source' | 'dead' | 'surroundings'>,
): Promise<RedriveReport> {
  const selection = new Selection(options, await rulesOf(options, context), context.surroundings);
  const pass = await passOver(context.dead, unbounded, context.surroundings, async (letters) => {
    selection.choose(letters, options.limit - selection.chosen);
    return true;
  });
  return { ...selection.report(), dryRun: true, pass, redriven: selection.chosen, ...untouched };
}

const unbounded = { limit: Number.POSITIVE_INFINITY, seconds: Number.POSITIVE_INFINITY };
const untouched = { notDeleted: 0, cameBack: 0, canary: undefined, error: undefined };
const nothingSeen: PassResult = {
  seen: 0,
  about: undefined,
  heldByOthers: undefined,
  fifo: false,
  end: 'interrupted',
  notReleased: 0,
};

/** Puts letters back. Does not reject for what the queues answer: the report says how far it came. */
export async function redrive(options: RedriveOptions, context: RedriveContext): Promise<RedriveReport> {
  const { dead, surroundings } = context;
  const mover = new Mover({ ...context, ...surroundings, ratePerSecond: options.ratePerSecond });
  let selection: Selection | undefined;
  let pass = nothingSeen;
  let canary: CanaryVerdict | undefined;
  let error: unknown;
  try {
    const rules = await rulesOf(options, context);
    const movePass = async (limit: number): Promise<void> => {
      // Each pass sees the letters that the one before left, so the counts of the last one are complete.
      const chosen = new Selection(options, rules, surroundings, selection, (letter) => mover.knows(letter));
      selection = chosen;
      const wanted = chosen.chosen + limit;
      pass = await passOver(dead, unbounded, surroundings, async (letters, held: HeldLetters) => {
        await mover.move(chosen.choose(letters, wanted - chosen.chosen), held);
        return chosen.chosen < wanted;
      });
    };
    if (options.canary === undefined) {
      await movePass(options.limit);
    } else {
      const first = Math.min(options.canary, options.limit);
      await movePass(first);
      if (mover.sent > 0 && !surroundings.signal.aborted) {
        context.onCanary(mover.sent);
        const expected = pass.about === undefined ? undefined : pass.about - mover.sent;
        const sent = (letter: Letter): boolean => mover.knows(letter);
        canary = await watchCanary({ ...context, bounds: options.canaryBounds, sent, expected });
        if (canary.verdict === 'good' && options.limit > first) await movePass(options.limit - first);
      }
    }
  } catch (thrown) {
    error = thrown;
  }
  const {
    matched = 0,
    refused = new Refusals(),
    groups = new Groups(),
    cameBack = 0,
  } = selection?.report() ?? {};
  for (const failure of mover.refused) refused.addFailure(failure);
  return {
    dryRun: false,
    pass,
    matched,
    refused,
    groups,
    cameBack,
    redriven: mover.sent,
    notDeleted: mover.notDeleted,
    canary,
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

/** Chooses the letters that match and may be redriven, and counts them. */
class Selection {
  matched: number;
  chosen: number;
  cameBack = 0;
  readonly refused = new Refusals();
  readonly groups: Groups;
  readonly #options: RedriveOptions;
  readonly #rules: RedriveRules;
  readonly #surroundings: PassSurroundings;
  readonly #isBack: (letter: Letter) => boolean;

  /** @param before the selection of an earlier pass: the letters that it chose are no longer on the queue, and count. */
  constructor(
    options: RedriveOptions,
    rules: RedriveRules,
    surroundings: PassSurroundings,
    before?: Selection,
    isBack: (letter: Letter) => boolean = () => false,
  ) {
    this.#options = options;
    this.#rules = rules;
    this.#surroundings = surroundings;
    this.#isBack = isBack;
    this.chosen = before?.chosen ?? 0;
    this.matched = this.chosen;
    this.groups = before?.groups ?? new Groups();
  }

  /** @param room letters that may still be chosen. */
  choose(letters: readonly Letter[], room: number): Redriven[] {
    const now = this.#surroundings.clock.wall();
    const chosen: Redriven[] = [];
    for (const letter of letters) {
      if (this.#isBack(letter)) {
        this.cameBack++;
        continue;
      }
      if (!this.#options.matches(letter, now)) continue;
      this.matched++;
      const decision = decideRedrive(letter, this.#rules);
      if (!decision.redrive) {
        this.refused.add(letter, decision.why, decision.forcible);
      } else if (chosen.length < room) {
        chosen.push({ letter, message: decision.message, bytes: decision.bytes });
        this.groups.add(letter);
      }
    }
    this.chosen += chosen.length;
    return chosen;
  }

  report(): Pick<RedriveReport, 'matched' | 'refused' | 'groups' | 'cameBack'> {
    const { matched, refused, groups, cameBack } = this;
    return { matched, refused, groups, cameBack };
  }
}
