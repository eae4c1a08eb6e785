/** What keeps the rows of a run, for those who follow them afterwards: `--job`. */
import { createHash } from 'node:crypto';
import type { GoodRow, InputRow } from '../input/row.ts';
import type { OutgoingMessage, SendAnswer } from '../queue/types.ts';

/** A row and its number: its line, or a larger one where a line has several rows. The same file always gives the same. */
export interface NumberedRow {
  readonly row: InputRow;
  readonly number: number;
}

export interface RowMessage extends OutgoingMessage {
  readonly row: GoodRow;
}

/** Methods throw CommandError when rows cannot be kept. */
export interface Keeper {
  /** The messages of rows, in order, each kept before it is given out. Without those of rows that were sent before. */
  messages(rows: AsyncIterable<NumberedRow>): AsyncIterable<RowMessage>;
  sent(messages: readonly RowMessage[], messageIds: SendAnswer['messageIds']): void;
  refused(message: RowMessage, reason: string): void;
  /** Rows that were sent before: by an earlier run, of the same file under the same name. */
  readonly sentBefore: number;
  /** Whether that was the whole file: then nothing of the job is changed. */
  readonly wasWhole: boolean;
  /** Aborts when another process may send these rows: no request is begun then. */
  readonly lost: AbortSignal;
  finish(result: KeeperResult): Promise<void>;
}

interface KeeperResult {
  /** Messages that may have arrived all the same. */
  readonly uncertain: ReadonlySet<RowMessage>;
  /** How often a message was sent again that may have arrived before. */
  readonly repeated: number;
  /** Whether the file was sent to its end. */
  readonly whole: boolean;
}

/** A file that is known to be good. */
export interface GoodFile {
  readonly source: string;
  /** Of its good rows and their numbers. */
  readonly digest: string;
  /** Rows to send. */
  readonly rows: number;
  /** The number of its last row. */
  readonly last: number;
}

export async function* numberRows(rows: AsyncIterable<InputRow>): AsyncGenerator<NumberedRow, undefined> {
  let number = 0;
  for await (const row of rows) {
    number = Math.max(row.line, number + 1);
    yield { row, number };
  }
}

/** Passes rows through, and tells afterwards which file they were. */
export class FileWatch {
  readonly #hash = createHash('sha256');
  #last = 0;

  async *watch(rows: AsyncIterable<InputRow>): AsyncGenerator<InputRow, undefined> {
    for await (const { row, number } of numberRows(rows)) {
      this.#last = number;
      if ('update' in row) this.#hash.update(`${number} ${JSON.stringify(row.update)}\n`);
      yield row;
    }
  }

  /** To be asked once, after the last row. */
  seen(): Pick<GoodFile, 'digest' | 'last'> {
    return { digest: `sha256:${this.#hash.digest('hex')}`, last: this.#last };
  }
}
