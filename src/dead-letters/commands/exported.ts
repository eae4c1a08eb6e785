/** The letters of a file that `dead-letters export` wrote: they may be deleted because a copy exists. */
import { hash } from 'node:crypto';
import { resolve } from 'node:path';
import { z } from 'zod';
import { CommandError, causeOf, misuse } from '../../errors.ts';
import { openToRead } from '../../files/open-to-read.ts';
import { shortPrintable } from '../../text/printable.ts';
import type { Letter } from '../letters/letter.ts';

const lineSchema = z.object({ MessageId: z.string().min(1), Body: z.string() });

export class ExportedLetters {
  readonly #digests: ReadonlyMap<string, string>;
  readonly #found = new Set<string>();
  readonly #changed = new Set<string>();

  private constructor(digests: ReadonlyMap<string, string>) {
    this.#digests = digests;
  }

  /**
   * Reads the whole file; keeps the ids and a digest of each body in memory.
   * @param signal ends the wait for a pipe that nobody writes to.
   * @throws CommandError if it cannot be read, or any of its lines is not a letter: then nothing may be deleted.
   */
  static async read(name: string, cwd: string, signal: AbortSignal): Promise<ExportedLetters> {
    const shown = shortPrintable(name, 200);
    const digests = new Map<string, string>();
    try {
      const file = await openToRead(resolve(cwd, name), signal);
      for await (const line of file.readLines()) {
        const letter = readLine(line);
        if (letter === undefined) {
          const where = `line ${digests.size + 1} of ${shown} is not a letter`;
          throw misuse(
            `--exported: ${where} of \`dead-letters export --as letters\`. Nothing was deleted. Give the file as export wrote it.`,
          );
        }
        digests.set(letter.MessageId, digestOf(letter.Body));
      }
    } catch (error) {
      // An interrupted command reports only the interruption, whatever the file contains.
      signal.throwIfAborted();
      if (error instanceof CommandError) throw error;
      throw misuse(`--exported: ${shown} cannot be read: ${causeOf(error)}.`);
    }
    if (digests.size === 0)
      throw misuse(`--exported: ${shown} holds no letters: there is nothing to delete.`);
    return new ExportedLetters(digests);
  }

  get size(): number {
    return this.#digests.size;
  }

  get ids(): ReadonlySet<string> {
    return new Set(this.#digests.keys());
  }

  /** Letters of the file that {@link matches} has not seen. */
  get notFound(): number {
    return this.size - this.#found.size - this.#changed.size;
  }

  /** Letters on the queue that have the id of a letter in the file, but another body. */
  get changed(): number {
    return this.#changed.size;
  }

  /** Whether the file contains the letter: its message id, with the same body. */
  readonly matches = ({ message }: Letter): boolean => {
    const digest = this.#digests.get(message.messageId);
    if (digest === undefined) return false;
    const same = digest === digestOf(message.body);
    (same ? this.#found : this.#changed).add(message.messageId);
    return same;
  };
}

function readLine(line: string): z.infer<typeof lineSchema> | undefined {
  try {
    return lineSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

function digestOf(body: string): string {
  return hash('sha256', body, 'base64');
}
