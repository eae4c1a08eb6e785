/** Progress: a block that is redrawn in place on a terminal; elsewhere, an occasional line. */
import { clearScreenDown, cursorTo, moveCursor } from 'node:readline';
import type { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { clip, columnsOf, WIDTH } from './layout.ts';
import { printable } from './printable.ts';

export interface Screen<View> {
  /** Shows the view, unless the last one was shown very recently. */
  update(view: View): void;
  /** One line that stays. @param about for callers that sort lines by severity; default: `note`. */
  say(line: string, about?: 'note' | 'trouble'): void;
  /** Removes the block; may be called at any time, and repeatedly. The next view is drawn immediately. */
  stop(): void;
}

export interface ScreenOptions<View> {
  readonly stream: Writable & { readonly columns?: number };
  readonly isTerminal: boolean;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly block: (view: View, columns: number) => readonly string[];
  readonly line: (view: View) => string;
  /** Minimum time between two lines, in milliseconds. */
  readonly lineMs?: number;
}

const DRAW_MS = 200;
const DEFAULT_LINE_MS = 10_000;

export function createScreen<View>(options: ScreenOptions<View>): Screen<View> {
  return options.isTerminal ? new LiveBlock(options) : new Lines(options);
}

class LiveBlock<View> implements Screen<View> {
  readonly #options: ScreenOptions<View>;
  /** The lengths of the lines on the screen. */
  #drawn: readonly number[] = [];
  #drawnAt = Number.NEGATIVE_INFINITY;
  #view: View | undefined;

  constructor(options: ScreenOptions<View>) {
    this.#options = options;
  }

  update(view: View): void {
    this.#view = view;
    const now = this.#options.now();
    if (now - this.#drawnAt < DRAW_MS) return;
    this.#drawnAt = now;
    this.#draw();
  }

  say(line: string): void {
    this.#clear();
    this.#options.stream.write(`${printable(line)}\n`);
    this.#draw();
  }

  stop(): void {
    this.#clear();
    this.#view = undefined;
    this.#drawnAt = Number.NEGATIVE_INFINITY;
  }

  #draw(): void {
    if (this.#view === undefined) return;
    const { stream, block } = this.#options;
    const columns = columnsOf(stream) ?? WIDTH;
    // A wrapped line would take more rows than are removed later.
    const lines = block(this.#view, columns).map((line) => clip(line, columns - 1));
    this.#clear();
    stream.write(lines.map((line) => `${line}\n`).join(''));
    this.#drawn = lines.map((line) => stripVTControlCharacters(line).length);
  }

  #clear(): void {
    if (this.#drawn.length === 0) return;
    const { stream } = this.#options;
    // Lines wrap if the window was made narrower since.
    const rows = this.#drawn.map((length) => Math.max(1, Math.ceil(length / (columnsOf(stream) ?? WIDTH))));
    // The cursor is not at the start of its line if a ^C was typed there.
    cursorTo(stream, 0);
    moveCursor(stream, 0, -rows.reduce((sum, count) => sum + count));
    clearScreenDown(stream);
    this.#drawn = [];
  }
}

class Lines<View> implements Screen<View> {
  readonly #options: ScreenOptions<View>;
  #saidAt: number;

  constructor(options: ScreenOptions<View>) {
    this.#options = options;
    this.#saidAt = options.now();
  }

  update(view: View): void {
    const now = this.#options.now();
    if (now - this.#saidAt < (this.#options.lineMs ?? DEFAULT_LINE_MS)) return;
    this.#saidAt = now;
    this.say(this.#options.line(view));
  }

  say(line: string): void {
    this.#options.stream.write(`${printable(line)}\n`);
  }

  stop(): void {}
}
