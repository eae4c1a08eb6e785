/** Progress through stages, as a bar: only on a terminal. */
import type { Writable } from 'node:stream';
import { createScreen } from './live-block.ts';
import { percent } from './numbers.ts';
import { countdown } from './times.ts';

export interface Progress {
  /** Begins a stage with its own total (default unit: rows) or an unknown total; ends the previous stage. */
  stage(label: string, total?: number, unit?: 'row' | 'byte'): void;
  /** @param done in the unit of the stage's total, since its start. */
  update(done: number): void;
  /** Removes the bar; may be called at any time, and repeatedly. */
  stop(): void;
}

export interface ProgressOptions {
  readonly stderr: Writable & { readonly columns?: number };
  readonly isTerminal: boolean;
  readonly clock: { readonly monotonic: () => number };
}

interface View {
  readonly label: string;
  readonly done: number;
  readonly total: number | undefined;
  readonly seconds: number;
}

/** A bar on `stderr`, or nothing if that is not a terminal. */
export function createProgress({ stderr, isTerminal, clock }: ProgressOptions): Progress {
  if (!isTerminal) return { stage: () => {}, update: () => {}, stop: () => {} };
  const now = clock.monotonic;
  const screen = createScreen<View>({ stream: stderr, isTerminal, now, block: barLine, line: () => '' });
  let stage:
    | { readonly label: string; readonly total: number | undefined; readonly since: number }
    | undefined;
  const update = (done: number): void => {
    if (stage === undefined) return;
    const { label, total, since } = stage;
    screen.update({ label, done, total, seconds: (now() - since) / 1_000 });
  };
  return {
    stage(label, total) {
      screen.stop();
      stage = { label, total, since: now() };
      update(0);
    },
    update,
    stop() {
      stage = undefined;
      screen.stop();
    },
  };
}

function barLine({ label, done, total, seconds }: View, columns: number): readonly string[] {
  if (total === undefined) return [`${label} ${done}`];
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const left = share === 0 ? '-:--' : countdown(Math.ceil(seconds / share - seconds));
  const end = `${percent(share).padStart(4)}  ${left} left`;
  const size = Math.min(30, columns - `${label} [] ${end}`.length - 1);
  return [size < 5 ? `${label} ${end}` : `${label} ${bar(share, size)} ${end}`];
}

/** `[====----]`, `size` characters between the brackets. */
export function bar(share: number, size: number): string {
  const full = Math.floor(share * size);
  return `[${'='.repeat(full)}${'-'.repeat(size - full)}]`;
}
