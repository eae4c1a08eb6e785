/** Keeps the rows of a run for those who follow them afterwards: `--job`. */
import { createHash } from 'node:crypto';
import type { GoodRow, InputRow } from '../input/row.ts';
import type { OutgoingMessage, SendAnswer } from '../queue/types.ts';

/**
 * A row and its number: its line, or a larger number if a line has several rows. The same file gives the same numbers.
 */
export interface NumberedRow {
  readonly row: InputRow;
  readonly number: number;
}

export interface RowMessage extends OutgoingMessage {
  readonly row: GoodRow;
}

/** Methods throw CommandError when rows cannot be kept. */
export interface Keeper {
  /** The messages of rows, in order. Each is recorded before it is yielded. Rows sent before are left out. */
  messages(rows: AsyncIterable<NumberedRow>): AsyncIterable<RowMessage>;
  sent(messages: readonly RowMessage[], messageIds: SendAnswer['messageIds']): void;
  refused(message: RowMessage, reason: string): void;
  /** Rows that an earlier run, of the same file under the same name, has sent. */
  readonly sentBefore: number;
  /** Whether that was the whole file: the job then stays unchanged. */
  readonly wasWhole: boolean;
  /** Aborts when another process may send these rows: no request is then begun. */
  readonly lost: AbortSignal;
  finish(result: KeeperResult): Promise<void>;
}

interface KeeperResult {
  /** Messages that may have arrived after all. */
  readonly uncertain: ReadonlySet<RowMessage>;
  /** How often a message that may already have arrived was sent again. */
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

/** Passes rows through, and afterwards identifies the file they came from. */
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

  /** Must be called once, after the last row. */
  seen(): Pick<GoodFile, 'digest' | 'last'> {
    return { digest: `sha256:${this.#hash.digest('hex')}`, last: this.#last };
  }
}
