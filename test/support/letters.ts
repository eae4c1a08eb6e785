/** The dead-letter commands in this process, as a user would type them. */
import { PassThrough } from 'node:stream';
import { Command } from 'commander';
import { sleep, systemClock } from '../../src/clock.ts';
import { addDeadLetters } from '../../src/commands/dead-letters/index.ts';
import { CommandError, type CommandIo } from '../../src/commands/io.ts';
import type { Environment } from '../../src/config.ts';

export interface LettersResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface LettersOptions {
  readonly env: Environment;
  /** What the user types at a terminal; undefined: no terminal. */
  readonly typed?: string;
  /** Called on every piece of output, with a way to interrupt. */
  readonly onOutput?: (interrupt: () => void) => void;
}

/** Runs `dead-letters <args>`. Polls do not wait: the emulator answers with all it has. */
export async function runLetters(
  args: readonly string[],
  { env, typed, onOutput }: LettersOptions,
): Promise<LettersResult> {
  const output = { stdout: '', stderr: '' };
  const listeners = new Set<(signal: 'SIGINT') => void>();
  const keep = (name: keyof typeof output): PassThrough => {
    const stream = new PassThrough();
    stream.on('data', (chunk: Buffer) => {
      output[name] += chunk.toString();
      onOutput?.(() => {
        for (const listener of listeners) listener('SIGINT');
      });
    });
    return stream;
  };
  const stdin = new PassThrough();
  if (typed !== undefined) Object.assign(stdin, { isTTY: true }).end(typed);
  const io: CommandIo = {
    env,
    stdin,
    stdout: keep('stdout'),
    stderr: keep('stderr'),
    isTerminal: typed !== undefined,
    onSignal: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    exitNow: () => {},
    exitCode: 0,
  };
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  addDeadLetters(program, io, {
    clock: systemClock,
    random: Math.random,
    sleep,
    pollSeconds: 0,
    userName: () => 'tester',
  });
  try {
    await program.parseAsync(['dead-letters', ...args], { from: 'user' });
  } catch (thrown) {
    if (!(thrown instanceof CommandError)) throw thrown;
    io.exitCode = thrown.exitCode;
    output.stderr += `${thrown.message}\n`;
  }
  await new Promise((resolve) => setImmediate(resolve));
  return { exitCode: io.exitCode, ...output };
}
