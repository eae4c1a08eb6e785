/** Commands that end by themselves, in this process, as a user would type them. */
import { PassThrough } from 'node:stream';
import { Command } from 'commander';
import { configureCheck } from '../../src/check/command.ts';
import type { CommandContext } from '../../src/cli/context.ts';
import type { Environment } from '../../src/config.ts';
import { configureConfigs } from '../../src/configs/commands/command.ts';
import { configureDeadLetters } from '../../src/dead-letters/commands/index.ts';
import { configureEnqueue } from '../../src/enqueue/command.ts';
import { CommandError } from '../../src/errors.ts';
import { configureJobs } from '../../src/jobs/commands/index.ts';
import { configureStatus } from '../../src/status/commands/command.ts';
import { shellLine } from '../../src/text/shell.ts';
import { type Clock, sleep, systemClock } from '../../src/time/clock.ts';
import { configureTrace } from '../../src/trace/commands/command.ts';

export interface LettersResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both streams, in the order of output. */
  readonly both: string;
}

export interface LettersOptions {
  readonly env: Environment;
  /** What the user types at a terminal; undefined: no terminal. */
  readonly typed?: string;
  /** The input stays open after that. */
  readonly staysOpen?: boolean;
  readonly clock?: Clock;
  /** The base folder of relative paths. */
  readonly cwd?: string;
  /** The user presses Ctrl-C this many milliseconds after the start. */
  readonly interruptAfterMs?: number;
  /** The width of stdout's terminal; undefined: a pipe. */
  readonly columns?: number;
  /** Called for every piece of output, with a function that interrupts. */
  readonly onOutput?: (interrupt: () => void) => void;
}

/** Runs `dead-letters <args>`. */
export function runLetters(args: readonly string[], options: LettersOptions): Promise<LettersResult> {
  return runInProcess(['dead-letters', ...args], options);
}

/** Runs `ota-updater <args>`. Polls do not wait: the emulator answers with everything it has. */
export async function runInProcess(
  args: readonly string[],
  {
    env,
    typed,
    staysOpen = false,
    clock = systemClock,
    columns,
    cwd = process.cwd(),
    interruptAfterMs,
    onOutput,
  }: LettersOptions,
): Promise<LettersResult> {
  const output = { stdout: '', stderr: '', both: '' };
  const listeners = new Set<(signal: 'SIGINT') => void>();
  const keep = (name: 'stdout' | 'stderr'): PassThrough => {
    const stream = new PassThrough();
    stream.on('data', (chunk: Buffer) => {
      output[name] += chunk.toString();
      output.both += chunk.toString();
      onOutput?.(() => {
        for (const listener of listeners) listener('SIGINT');
      });
    });
    return stream;
  };
  const stdin = new PassThrough();
  if (typed !== undefined) Object.assign(stdin, { isTTY: true }).write(typed);
  if (!staysOpen) stdin.end();
  const io: CommandContext = {
    env,
    setVariables: () => {},
    cwd,
    stdin,
    stdout: Object.assign(keep('stdout'), columns !== undefined && { columns }),
    stderr: keep('stderr'),
    isTerminal: typed !== undefined,
    clock,
    random: Math.random,
    sleep,
    hostName: () => 'bench',
    userName: () => 'tester',
    commandLine: (...args) => shellLine(['ota-updater', ...args]),
    onSignal: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    exitNow: () => {},
    paint: (text) => text,
    stdoutIsLog: false,
    exitCode: 0,
  };
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  configureCheck(program.command('check'), io);
  configureEnqueue(program.command('enqueue'), io);
  configureJobs(program.command('jobs'), io);
  configureConfigs(program.command('configs'), io);
  configureDeadLetters(program.command('dead-letters'), io, 0);
  configureStatus(program.command('status'), io, 0);
  configureTrace(program.command('trace'), io, 0);
  const impatience =
    interruptAfterMs === undefined
      ? undefined
      : setTimeout(() => listeners.forEach((listener) => void listener('SIGINT')), interruptAfterMs);
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (thrown) {
    if (!(thrown instanceof CommandError)) throw thrown;
    io.exitCode = thrown.exitCode;
    io.stderr.write(`${thrown.message}\n`);
  } finally {
    clearTimeout(impatience);
  }
  await new Promise((resolve) => setImmediate(resolve));
  return { exitCode: io.exitCode, ...output };
}
