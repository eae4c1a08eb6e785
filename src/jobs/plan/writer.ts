/** Writes a plan file completely, or not at all. */
import { createHash, type Hash } from 'node:crypto';
import { OutputFile, type OutputFileOptions, type OutputKind } from '../../files/output-file.ts';
import {
  beginsPlan,
  countedAs,
  type LeftOutRow,
  MAX_LEFT_OUT_IDENTIFIER,
  MAX_LEFT_OUT_REASON,
  MAX_LEFT_OUT_VALUE,
  type PlanCounts,
  type PlanHeader,
  type PlanRow,
  planDigest,
  toLine,
} from './format.ts';

const kind: OutputKind = {
  title: 'The plan',
  flag: '--out',
  replaces: {
    noun: 'a plan',
    isOurs: (beginning) => beginsPlan(beginning.split('\n', 1)[0] ?? ''),
  },
};

const BUFFERED_CHARACTERS = 16 * 1_024;

/** Writes are synchronous, as they are few. Every method throws CommandError if the file cannot be written. */
export class PlanWriter {
  readonly #file: OutputFile;
  readonly #hash: Hash = createHash('sha256');
  #buffer = '';
  readonly #counts = { toChange: 0, alreadyAsWanted: 0, refused: 0, duplicates: 0 };

  /**
   * @param name the user's name for the file that `finish()` puts in place.
   * @throws CommandError if a file exists there that may not be replaced.
   */
  constructor(name: string, options: Omit<OutputFileOptions, 'numbered'>) {
    this.#file = new OutputFile(kind, name, options);
  }

  /** Counts of the rows written so far. */
  get counts(): PlanCounts {
    return { ...this.#counts };
  }

  /** Call this first, and once. */
  begin(header: PlanHeader): void {
    this.#write(toLine(header));
    this.#flush();
  }

  /** May cut the texts of a row that is left out. */
  add(row: PlanRow): void {
    this.#counts[countedAs(row)]++;
    this.#write(toLine('LeftOut' in row ? { ...row, ...cutTexts(row) } : row));
  }

  /**
   * Adds the footer and puts the plan in its place. If there is nothing to change, there is no plan. An earlier plan of that name
   * is then removed, too, so that it is not mistaken for this one.
   * @returns what became of it.
   */
  finish(): 'written' | 'removed' | 'none' {
    this.#flush();
    const { counts } = this;
    if (counts.toChange === 0) return this.#file.clear() ? 'removed' : 'none';
    this.#file.write(toLine({ Counts: counts, Digest: planDigest(this.#hash, counts) }));
    this.#file.place(true);
    return 'written';
  }

  /** Leaves only what was there before; may be called at any time. */
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
    this.#file.write(bytes);
  }
}

function cutTexts({ Identifier, Description, TaskConfigurationId, Reason }: LeftOutRow): Partial<LeftOutRow> {
  return {
    ...(Description !== undefined && { Description: cut(Description, MAX_LEFT_OUT_VALUE) }),
    ...(TaskConfigurationId !== undefined && {
      TaskConfigurationId: cut(TaskConfigurationId, MAX_LEFT_OUT_VALUE),
    }),
    ...(Identifier !== undefined && { Identifier: cut(Identifier, MAX_LEFT_OUT_IDENTIFIER) }),
    ...(Reason !== undefined && { Reason: cut(Reason, MAX_LEFT_OUT_REASON) }),
  };
}

function cut(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max - 1)}…` : text;
}
