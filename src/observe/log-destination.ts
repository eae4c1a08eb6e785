/** Where the log goes. A log that cannot be written is lost, but stops nothing. */
import type { Writable } from 'node:stream';

/** Maximum number of bytes that wait for a reader: about 10,000 lines. */
const MOST_WAITING = 4 * 1024 * 1024;

/** Takes a logger's lines. While the stream fails (a full disk) or nobody reads it, lines are lost and counted. */
export class LogDestination {
  readonly #stream: Writable;
  readonly #onWritable: (lost: number) => void;
  #lost = 0;

  /**
   * @param stream must have a listener for errors.
   * @param onWritable called when lines can be written again after some were lost, with the number lost.
   */
  constructor(stream: Writable, onWritable: (lost: number) => void = () => {}) {
    this.#stream = stream;
    this.#onWritable = onWritable;
  }

  write(line: string): void {
    if (this.#stream.writableLength > MOST_WAITING) this.#lost += 1;
    else this.#stream.write(line, this.#onWritten);
  }

  readonly #onWritten = (error?: Error | null): void => {
    if (error) this.#lost += 1;
    else if (this.#lost > 0 && this.#stream.writableLength < MOST_WAITING / 2) {
      const lost = this.#lost;
      this.#lost = 0;
      this.#onWritable(lost);
    }
  };
}
