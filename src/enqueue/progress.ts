/** The progress bar: on a terminal only. */
import type { Writable } from 'node:stream';
import cliProgress from 'cli-progress';

export interface Progress {
  /** Begins a stage with its own total, or with none that is known; ends the one before. */
  stage(label: string, total?: number): void;
  /** @param done in the unit of the stage's total, from its start. */
  update(done: number): void;
  /** Takes the bar away; may be called at any time, and again. */
  stop(): void;
}

/** A bar on `stream`, or nothing at all when that is not a terminal. */
export function createProgress(stream: Writable, isTerminal: boolean): Progress {
  if (!isTerminal) return { stage: () => {}, update: () => {}, stop: () => {} };
  let bar: cliProgress.SingleBar | undefined;
  const stop = (): void => {
    bar?.stop();
    bar = undefined;
  };
  return {
    stage(label, total) {
      stop();
      bar = new cliProgress.SingleBar(
        {
          stream,
          format:
            total === undefined
              ? `${label} {value}`
              : `${label} [{bar}] {percentage}% | {eta_formatted} left`,
          clearOnComplete: true,
          barsize: 30,
        },
        cliProgress.Presets.legacy,
      );
      bar.start(total ?? Number.MAX_SAFE_INTEGER, 0);
    },
    update: (done) => bar?.update(done),
    stop,
  };
}
