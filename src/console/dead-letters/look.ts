/** What a look at the dead-letter queue has found: causes, and as many letters as memory is given for. */
import { causeOf, type Group, Groups } from '../../dead-letters/letters/causes.ts';
import type { Letter } from '../../dead-letters/letters/letter.ts';
import {
  type LetterQueue,
  MAX_IN_FLIGHT,
  type PassResult,
  type PassSurroundings,
  passOver,
} from '../../dead-letters/pass/pass.ts';

/** As `dead-letters list` looks, at most. */
const SECONDS = 60;
/** Of the letters kept: their number, and the characters of their bodies. */
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
  /** As many of them as were kept. */
  readonly letters: readonly Letter[];
  readonly look: Look;
}

/** undefined: it has seen no letter of this cause. */
export function groupIn(look: Look, group: string): LookedGroup | undefined {
  const found = look.groups.all().find((each) => each.group === group);
  if (found === undefined) return undefined;
  const letters = [...look.letters.values()].filter((letter) => causeOf(letter).group === group);
  return { group: found, letters, look };
}

/** Looks once, and leaves everything in place. @param onSeen told how many letters were seen so far. */
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
