#!/usr/bin/env -S node --
/** Runs the program in this process: argv to exit code. */
import { CommanderError } from 'commander';
import { contextOf } from './cli/context.ts';
import { CommandError, exitCodes } from './errors.ts';
import { runProgram } from './program.ts';

// A reader may close the pipe (`| head`); the command still runs to its end.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

const context = contextOf(process);
try {
  await runProgram(process.argv.slice(2), context);
  process.exitCode = context.exitCode;
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has already printed the help, the version or its message.
    process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.misuse;
  } else if (error instanceof CommandError) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitCode;
  } else {
    throw error;
  }
}
