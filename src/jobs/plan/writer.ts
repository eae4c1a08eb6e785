/** Writes a plan file: complete and in its place, or not at all. */
import { createHash, type Hash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { CommandError, causeOf, misuse } from '../../errors.ts';
import { Replacement } from '../../files/replacement.ts';
import { printable } from '../../text/printable.ts';
import {
  countedAs,
  type LeftOutRow,
  MAX_LEFT_OUT_IDENTIFIER,
  MAX_LEFT_OUT_REASON,
  type PlanCounts,
  type PlanHeader,
  type PlanRow,
  planDigest,
  toLine,
} from './format.ts';

const BUFFERED_CHARACTERS = 16 * 1_024;

/** Writes are synchronous: they are few. Every method throws CommandError when the file cannot be written. */
export class PlanWriter {
  readonly #path: string;
  readonly #name: string;
  readonly #file: Replacement;
  readonly #force: boolean;
  readonly #hash: Hash = createHash('sha256');
  #buffer = '';
  readonly #counts = { toChange: 0, alreadyAsWanted: 0, refused: 0, duplicates: 0 };

  /**
   * @param path where the plan will be after `finish()`.
   * @param name what the user calls it.
   * @param force whether a file that is there may be replaced.
   * @throws CommandError when it is there and may not.
   */
  constructor(path: string, name: string, force: boolean) {
    this.#path = path;
    this.#name = name;
    this.#force = force;
    this.#refuseExisting();
    this.#file = this.#attempt(() => new Replacement(path));
  }

  /** Of the rows written so far. */
  get counts(): PlanCounts {
    return { ...this.#counts };
  }

  /** To be called first, and once. */
  begin(header: PlanHeader): void {
    this.#write(toLine(header));
    this.#flush();
  }

  /** The text of a row that is left out may be cut. */
  add(row: PlanRow): void {
    this.#counts[countedAs(row)]++;
    this.#write(toLine('LeftOut' in row ? { ...row, ...cutTexts(row) } : row));
  }

  /** Adds the footer and puts the plan in its place. */
  finish(): void {
    this.#flush();
    const { counts } = this;
    const footer = toLine({ Counts: counts, Digest: planDigest(this.#hash, counts) });
    this.#refuseExisting();
    this.#attempt(() => {
      this.#file.write(footer);
      this.#file.place(true);
    });
  }

  /** Leaves nothing behind but what was there before; may be called at any time. */
  discard(): void {
    this.#file.discard();
  }

  #write(line: string): void {
    this.#buffer += line;
    if (this.#buffer.length >= BUFFERED_CHARACTERS) this.#flush();
  }

  #flush(): void {
    const bytes = Buffer.from(this.#buffer);
    this.#buffer = '';
    this.#hash.update(bytes);
    this.#attempt(() => this.#file.write(bytes));
  }

  #refuseExisting(): void {
    if (this.#force || !existsSync(this.#path)) return;
    throw misuse(
      `${printable(this.#name)} is there already: say --force to replace it, or --out FILE for another name.`,
    );
  }

  #attempt<T>(write: () => T): T {
    try {
      return write();
    } catch (error) {
      throw new CommandError(`The plan cannot be written to ${printable(this.#name)}: ${causeOf(error)}.`);
    }
  }
}

function cutTexts({ Identifier, Reason }: LeftOutRow): Partial<LeftOutRow> {
  return {
    ...(Identifier !== undefined && { Identifier: cut(Identifier, MAX_LEFT_OUT_IDENTIFIER) }),
    ...(Reason !== undefined && { Reason: cut(Reason, MAX_LEFT_OUT_REASON) }),
  };
}

function cut(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max - 1)}…` : text;
}
