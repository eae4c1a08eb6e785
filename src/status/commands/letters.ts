/** The dead letters by cause, from a pass that leaves them all in place. */

import type { CommandContext } from '../../cli/context.ts';
import { startRun } from '../../dead-letters/commands/run.ts';
import { Groups } from '../../dead-letters/letters/causes.ts';
import { MAX_IN_FLIGHT, passOver } from '../../dead-letters/pass/pass.ts';
import { groupsJson, groupsText, seenText } from '../../dead-letters/view/list.ts';
import { CommandError } from '../../errors.ts';
import { columnsOf } from '../../text/layout.ts';

/** At most as long as `dead-letters list` looks. */
const SECONDS = 60;

export interface LettersByCause {
  readonly text: readonly string[];
  readonly json: object;
}

/** Never throws a CommandError: the reason why the letters could not be read is returned. */
export async function lettersByCause(
  context: CommandContext,
  pollSeconds: number | undefined,
): Promise<LettersByCause> {
  let found: LettersByCause = { text: [], json: {} };
  try {
    await startRun(context, pollSeconds, async ({ dead, surroundings }) => {
      const groups = new Groups();
      const pass = await passOver(
        dead,
        { limit: MAX_IN_FLIGHT, seconds: SECONDS },
        surroundings,
        async (letters) => {
          for (const letter of letters) groups.add(letter);
          return true;
        },
      );
      const columns = columnsOf(context.stdout);
      found = {
        text: [...groupsText(groups, columns), ...seenText(pass, dead.url, columns)],
        json: groupsJson(pass.seen, groups, pass),
      };
    });
    return found;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { text: [`! dead letters by cause: ${error.message}`], json: { failed: error.message } };
  }
}
