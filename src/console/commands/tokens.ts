/** The tokens from the environment and from a file, which is read again when it changes. */
import { unwatchFile, watchFile } from 'node:fs';
import type { ConsoleToken } from '../../config/console.ts';
import { TOKEN_RULE } from '../../config/console.ts';
import { misuse } from '../../errors.ts';
import { readSmallFile } from '../../files/small-file.ts';
import { type Holder, holdersOf, parseTokens } from '../access/tokens.ts';

const MAX_BYTES = 65_536;
const LOOK_MS = 2_000;

interface TokenSources {
  readonly given: readonly ConsoleToken[];
  readonly path: string | undefined;
  /** Reports that the file has changed, or cannot be used. */
  readonly say: (text: string) => void;
}

/** @throws CommandError if the file cannot be used at the start; later, the tokens stay as they were. */
export async function openTokens({ given, path, say }: TokenSources) {
  const own = holdersOf(given);
  let holders = own;
  const read = async (): Promise<string | undefined> => {
    if (path === undefined) return undefined;
    const file = await readSmallFile(path, { maxBytes: MAX_BYTES, links: true });
    if (!('text' in file)) return 'fault' in file ? file.fault : 'there is no such file';
    const tokens = parseTokens(file.text);
    if ('faultyLine' in tokens) return `line ${tokens.faultyLine} must be ${TOKEN_RULE}`;
    holders = [...own, ...holdersOf(tokens)];
    return undefined;
  };
  const fault = await read();
  if (fault !== undefined) throw misuse(`CONSOLE_TOKENS_FILE ${path}: ${fault}.`);
  const again = (): void =>
    void read().then((why) =>
      say(
        why === undefined
          ? 'The tokens were read again.'
          : `The tokens stay as they were. CONSOLE_TOKENS_FILE: ${why}.`,
      ),
    );
  if (path !== undefined) watchFile(path, { interval: LOOK_MS, persistent: false }, again);
  return {
    holders: (): readonly Holder[] => holders,
    close: (): void => {
      if (path !== undefined) unwatchFile(path, again);
    },
  };
}
