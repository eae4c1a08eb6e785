/** This process: its context, its exit code, and its end. */
import { homedir } from 'node:os';
import { CommanderError } from 'commander';
import { contextOf } from './cli/context.ts';
import type { SignalInbox } from './cli/signal-inbox.ts';
import { CommandError, exitCodes } from './errors.ts';
import { runProgram } from './program.ts';
import { printableLines } from './text/printable.ts';
import { remoteStack, remoteText } from './text/remote.ts';

/** For connections that close by themselves, in milliseconds. */
const LINGER_MS = 200;

/** Runs the command that the process was started with, to its exit code. Never waits for what a command has left open. */
export async function runProcess(process: NodeJS.Process, signals: SignalInbox): Promise<void> {
  const output = [process.stdout, process.stderr];
  // What cannot be written, because a disk is full or nobody reads it (`| head`), does not stop the work.
  for (const stream of output) stream.on('error', () => undefined);
  process.exitCode = await exitCodeOf(process, signals);
  await Promise.all(output.map(written));
  setTimeout(() => process.exit(), LINGER_MS).unref();
}

async function exitCodeOf(process: NodeJS.Process, signals: SignalInbox): Promise<number> {
  giveHome(process.env);
  const context = contextOf(process, signals);
  try {
    await runProgram(process.argv.slice(2), context, () => signals.begin());
    return context.exitCode;
  } catch (error) {
    // Commander has already printed the help, the version or its message.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.misuse;
    if (!(error instanceof CommandError)) throw bug(error);
    process.stderr.write(`${printableLines(error.message)}\n`);
    return error.exitCode;
  }
}

/** The same error with a stack that may be printed: its message can be of any origin. */
function bug(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const stack = printableLines(remoteStack(error.stack ?? error.message));
  return Object.assign(new Error(remoteText(error.message)), { stack });
}

/** Resolves when what was written so far is written, or cannot be. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}

/**
 * A user id without an account (OpenShift) has no home unless `HOME` says so, and the SDK, which looks there for its files,
 * would fail at every request. Container runtimes say `/`.
 */
function giveHome(env: NodeJS.ProcessEnv): void {
  try {
    homedir();
  } catch {
    env.HOME = '/';
  }
}
