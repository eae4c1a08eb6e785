/** This process: its context, its exit code and how it ends. */
import { homedir } from 'node:os';
import { CommanderError } from 'commander';
import { type CommandContext, contextOf } from './cli/context.ts';
import { crashText } from './cli/crash.ts';
import type { SignalInbox } from './cli/signal-inbox.ts';
import { CommandError, causeOf, errorCode, exitCodes } from './errors.ts';
import { runProgram } from './program.ts';
import { mayHaveColours } from './text/colours.ts';
import { paintError } from './text/paint.ts';
import { printableLines } from './text/printable.ts';
import { version } from './version.ts';

/** Time for connections to close by themselves, in milliseconds. */
const LINGER_MS = 200;

/** Runs the command that the process was started with, to its exit code. Does not wait for what the command left open. */
export async function runProcess(process: NodeJS.Process, signals: SignalInbox): Promise<void> {
  giveHome(process.env);
  const context = contextOf(process, signals);
  const output = [process.stdout, process.stderr];
  let lost: unknown;
  // Output that cannot be written (full disk, closed pipe as with `| head`) does not stop the work.
  for (const stream of output)
    stream.on('error', (error) => {
      if (errorCode(error) !== 'EPIPE') lost ??= error;
    });
  process.on('uncaughtException', (error) => {
    process.stderr.write(crashText(error, version, context.stdoutIsLog));
    process.exit(exitCodes.failed);
  });
  const exitCode = await exitCodeOf(process, context, signals);
  await Promise.all(output.map(written));
  process.exitCode = exitCode;
  if (lost !== undefined && !context.stdoutIsLog && saysDone(exitCode)) {
    process.exitCode = exitCodes.failed;
    process.stderr.write(`The output is incomplete, because it cannot be written: ${causeOf(lost)}.\n`);
  }
  setTimeout(() => process.exit(), LINGER_MS).unref();
}

/** Whether a script that sees this exit code goes on to use the result. */
function saysDone(exitCode: number): boolean {
  return exitCode === exitCodes.done || exitCode === exitCodes.someRefused;
}

async function exitCodeOf(
  process: NodeJS.Process,
  context: CommandContext,
  signals: SignalInbox,
): Promise<number> {
  try {
    await runProgram(process.argv.slice(2), context, () => signals.begin());
    return context.exitCode;
  } catch (error) {
    // Commander has already printed the help or the version.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.misuse;
    if (error instanceof CommandError) {
      const text = printableLines(error.message);
      const red = mayHaveColours(process.stderr, process.env);
      process.stderr.write(`${red ? paintError(text) : text}\n`);
      return error.exitCode;
    }
    process.stderr.write(crashText(error, version, context.stdoutIsLog));
    return exitCodes.failed;
  }
}

/** Resolves when everything written so far is flushed, or cannot be. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}

/**
 * A user id without an account (OpenShift) has no home directory unless `HOME` names one. The SDK looks there for its files
 * and would fail every request. Container runtimes use `/`.
 */
function giveHome(env: NodeJS.ProcessEnv): void {
  try {
    homedir();
  } catch {
    env.HOME = '/';
  }
}
