#!/usr/bin/env -S node --
/** argv to command. */
import { Command, CommanderError } from 'commander';
import { addCheck } from './commands/check.ts';
import { addEnqueue } from './commands/enqueue.ts';
import { CommandError, type CommandIo, exitCodes } from './commands/io.ts';
import { addSandbox } from './commands/sandbox.ts';
import { addSchema } from './commands/schema.ts';
import { addWorker } from './commands/worker.ts';
import { ConfigError } from './config.ts';

const io: CommandIo = {
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  isTerminal: process.stderr.isTTY === true,
  onSignal: (listener) => {
    process.on('SIGINT', listener).on('SIGTERM', listener);
    return () => process.off('SIGINT', listener).off('SIGTERM', listener);
  },
  exitNow: (code) => process.exit(code),
  exitCode: exitCodes.done,
};

const program = new Command('ota-updater')
  .description('Applies OTA task updates from an SQS queue to AWS IoT Managed Integrations.')
  .option('--env-file <path>', 'read environment variables from a file; what is set already wins')
  .exitOverride()
  .showHelpAfterError()
  .hook('preAction', (command) => loadEnvFile(command.opts<{ envFile?: string }>().envFile));

for (const add of [addWorker, addSandbox, addEnqueue, addCheck, addSchema]) add(program, io);

try {
  await program.parseAsync(process.argv);
  process.exitCode = io.exitCode;
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed help, version or the fault by now.
    process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.misuse;
  } else if (error instanceof ConfigError) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = exitCodes.misuse;
  } else if (error instanceof CommandError) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitCode;
  } else {
    throw error;
  }
}

function loadEnvFile(path: string | undefined): void {
  if (path === undefined) return;
  try {
    process.loadEnvFile(path);
  } catch {
    throw new CommandError(`--env-file: cannot read ${path}`, exitCodes.misuse);
  }
}
