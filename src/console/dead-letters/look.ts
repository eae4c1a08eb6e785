/** The result of a look at the dead-letter queue: causes, and as many letters as the memory limit allows. */
import { causeOf, type Group, Groups } from '../../dead-letters/letters/causes.ts';
import type { Letter } from '../../dead-letters/letters/letter.ts';
import {
  type LetterQueue,
  MAX_IN_FLIGHT,
  type PassResult,
  type PassSurroundings,
  passOver,
} from '../../dead-letters/pass/pass.ts';

/** Like `dead-letters list`, at most. */
const SECONDS = 60;
/** Limits on the letters kept: their number, and the characters of their bodies. */
const MOST_LETTERS = 20_000;
const MOST_CHARACTERS = 16_000_000;

export interface Look {
  readonly groups: Groups;
  /** By message id: the first that were seen. */
  readonly letters: ReadonlyMap<string, Letter>;
  readonly pass: PassResult;
  /** When it ended, in epoch milliseconds. */
  readonly at: number;
}

/** One cause of a look. */
export interface LookedGroup {
  readonly group: Group;
  /** Those of its letters that were kept. */
  readonly letters: readonly Letter[];
  readonly look: Look;
}

/** undefined: the look has seen no letter of this cause. */
export function groupIn(look: Look, group: string): LookedGroup | undefined {
  const found = look.groups.all().find((each) => each.group === group);
  if (found === undefined) return undefined;
  const letters = [...look.letters.values()].filter((letter) => causeOf(letter).group === group);
  return { group: found, letters, look };
}

/**
 * Looks once, and leaves everything in place.
 * @param onSeen called with the number of letters seen so far.
 */
export async function lookAt(
  dead: LetterQueue,
  surroundings: PassSurroundings,
  onSeen: (seen: number) => void,
): Promise<Look> {
  const groups = new Groups();
  const letters = new Map<string, Letter>();
  let characters = 0;
  let seen = 0;
  const pass = await passOver(
    dead,
    { limit: MAX_IN_FLIGHT, seconds: SECONDS },
    surroundings,
    async (some) => {
      for (const letter of some) {
        groups.add(letter);
        characters += letter.message.body.length;
        if (letters.size < MOST_LETTERS && characters <= MOST_CHARACTERS)
          letters.set(letter.message.messageId, letter);
      }
      seen += some.length;
      onSeen(seen);
      return true;
    },
  );
  return { groups, letters, pass, at: surroundings.clock.wall() };
}
