/**
 * The wall clock of a process that we start: it differs from the machine's, and can be stepped while the process
 * runs.
 */
import { fileURLToPath } from 'node:url';
import type { Child } from './child.ts';

/** The message to a program that was started with {@link steppable}. */
export interface StepMessage {
  readonly stepClockMs: number;
}

const preload = fileURLToPath(new URL('./stepped-date.ts', import.meta.url));

/**
 * Options and environment of a process whose wall clock can be stepped; for `startOta`, or any other Node program.
 * @param aheadMs how far its clock is ahead of the machine's from the start.
 */
export function steppable(aheadMs = 0): {
  readonly nodeOptions: readonly string[];
  readonly env: { readonly CLOCK_AHEAD_MS: string };
  readonly ipc: true;
} {
  return { nodeOptions: ['--import', preload], env: { CLOCK_AHEAD_MS: String(aheadMs) }, ipc: true };
}

/** Steps the wall clock of a process that was started with {@link steppable}; resolves when that is done. */
export async function stepClock(child: Child, ms: number): Promise<void> {
  const stepped = new Promise<void>((resolve) => {
    const onMessage = (message: unknown): void => {
      if (typeof message !== 'object' || message === null || !('clockStepped' in message)) return;
      child.process.off('message', onMessage);
      resolve();
    };
    child.process.on('message', onMessage);
  });
  const message: StepMessage = { stepClockMs: ms };
  child.process.send(message);
  await stepped;
}
