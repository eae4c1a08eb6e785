/** A command run in this process, with streams, signals and time under the test's control. */
import { PassThrough, Readable } from 'node:stream';
import { Command } from 'commander';
import type { CommandContext } from '../../src/cli/context.ts';
import { CommandError } from '../../src/errors.ts';
import { shellLine } from '../../src/text/shell.ts';
import { systemClock } from '../../src/time/clock.ts';

export interface CommandRun {
  readonly exitCode: number;
  readonly stdout: string;
  /** What the command printed to stderr, without `error`. */
  readonly stderr: string;
  /** The message of the CommandError that ended the command, or ''. */
  readonly error: string;
}

export interface FakeContext extends CommandContext {
  /** What was written so far. */
  readonly output: { readonly stdout: string; readonly stderr: string };
  /** Sends a signal to the command. */
  readonly signal: (name: 'SIGINT' | 'SIGTERM') => void;
  /** Exit codes of immediate exits. */
  readonly exits: readonly number[];
}

/** A context without input, waits or a terminal; `parts` replaces what the test is about. */
export function fakeContext(parts: Partial<CommandContext> = {}): FakeContext {
  const output = { stdout: '', stderr: '' };
  const keep = (name: 'stdout' | 'stderr'): PassThrough =>
    new PassThrough().on('data', (chunk: Buffer) => {
      output[name] += chunk.toString();
    });
  const listeners = new Set<(name: 'SIGINT' | 'SIGTERM') => void>();
  const exits: number[] = [];
  return {
    env: {},
    setVariables: () => {},
    cwd: process.cwd(),
    stdin: Readable.from([]),
    stdout: keep('stdout'),
    stderr: keep('stderr'),
    isTerminal: false,
    clock: systemClock,
    random: () => 0,
    sleep: async () => {},
    userName: () => 'tester',
    hostName: () => 'bench',
    commandLine: (...args) => shellLine(['ota-updater', ...args]),
    onSignal: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    exitNow: (code) => exits.push(code),
    paint: (text) => text,
    stdoutIsLog: false,
    exitCode: 0,
    ...parts,
    output,
    exits,
    signal: (name) => {
      for (const listener of listeners) listener(name);
    },
  };
}

/**
 * Runs `name args` with the command that `configure` makes.
 * @throws CommanderError for arguments that the command does not accept, and every error other than
 * CommandError.
 */
export async function runConfigured(
  configure: (command: Command, context: CommandContext) => void,
  name: string,
  args: readonly string[],
  context: FakeContext = fakeContext(),
): Promise<CommandRun> {
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  configure(program.command(name), context);
  let error = '';
  try {
    await program.parseAsync([name, ...args], { from: 'user' });
  } catch (thrown) {
    if (!(thrown instanceof CommandError)) throw thrown;
    context.exitCode = thrown.exitCode;
    error = thrown.message;
  }
  await new Promise((resolve) => setImmediate(resolve));
  return { exitCode: context.exitCode, ...context.output, error };
}
