/** A stage with letters on its dead-letter queue, and a console in front of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { changesSection } from '../../src/console/changes/section.ts';
import type { ChangeRun } from '../../src/console/dead-letters/change-run.ts';
import { Desk, type DeskOptions } from '../../src/console/dead-letters/desk.ts';
import { lettersSection } from '../../src/console/dead-letters/section.ts';
import { logIn } from '../../src/dead-letters/desk/carry-out.ts';
import { type Letters, openLetters } from '../../src/dead-letters/desk/open.ts';
import { sleep, systemClock } from '../../src/time/clock.ts';
import { addLetters, type record } from '../letters.ts';
import { useApi } from '../stages/jobs.ts';
import { type Stage, setStage } from '../stages/stage.ts';

/** If the queue is quiet for this long, the letters put back have ended: tests have no other senders. */
const bounds = { seconds: 30, quietSeconds: 0.3 };

export interface LettersStage {
  readonly stage: Stage;
  readonly stateDir: string;
  /** Sends letters of one cause: all their tasks exist, except those whose name begins with `gone`. */
  readonly addLetters: (count: number, prefix: string, error?: Partial<typeof record.error>) => Promise<void>;
  /** A desk as in a separate process; closed when the test has ended. */
  readonly openDesk: (options?: Partial<DeskOptions>, around?: (letters: Letters) => Letters) => Desk;
}

export async function setLetters(): Promise<LettersStage> {
  const stage = await setStage({ api: { tasks: { kind: 'all', exceptPrefix: 'gone' } } });
  onTestFinished(() => stage.strike());
  useApi(stage.api);
  const stateDir = mkdtempSync(join(tmpdir(), 'ota-console-'));
  onTestFinished(() => rmSync(stateDir, { recursive: true }));
  const env = stage.environment({ STATE_DIR: stateDir });
  return {
    stage,
    stateDir,
    addLetters: (count, prefix, error) => addLetters(stage.dead, env.QUEUE_URL ?? '', count, prefix, error),
    openDesk: (options = {}, around = (letters) => letters) => {
      const letters = openLetters({
        env,
        clock: systemClock,
        random: Math.random,
        sleep,
        pollSeconds: 0,
        onNotice: () => {},
      });
      const desk = new Desk({
        letters: around(letters),
        stateDir,
        openLog: logIn(stateDir, Date.now),
        canaryBounds: bounds,
        endBounds: bounds,
        now: Date.now,
        sleep,
        say: () => {},
        onError: (error) => {
          throw error;
        },
        ...options,
      });
      onTestFinished(() => desk.close());
      return desk;
    },
  };
}

/** The sections that show them. */
export function lettersSections(desk: Desk, readLog: Parameters<typeof changesSection>[0]) {
  return [lettersSection({ desk, now: Date.now, sleep }), changesSection(readLog)];
}

/** Waits for the end of a change. */
export const over = async (run: ChangeRun | undefined): Promise<void> =>
  await expect.poll(() => run?.isOver, { interval: 50 }).toBe(true);

/** Looks at the letters anew, and waits until that is done. */
export async function lookedAgain(desk: Desk): Promise<void> {
  desk.lookAgain();
  await expect
    .poll(() => [desk.doing.what, desk.lookFault, desk.look !== undefined])
    .toEqual(['nothing', undefined, true]);
}
