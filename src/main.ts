#!/usr/bin/env -S node --
/** argv to command. */
import { Command, CommanderError } from 'commander';
import { CommandError, type CommandIo, exitCodes } from './cli/io.ts';
import { compileSooner, keepMemoryFlat } from './cli/v8-flags.ts';
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

// Who reads no more (`| head`) ends nothing: what a command does goes on to its end.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

const program = new Command('ota-updater')
  .description('Applies OTA task updates from an SQS queue to AWS IoT Managed Integrations.')
  .option('--env-file <path>', 'read environment variables from a file; what is set already wins')
  .exitOverride()
  .showHelpAfterError()
  .hook('preAction', (command) => loadEnvFile(command.opts<{ envFile?: string }>().envFile));

/** Each is loaded when it is wanted: a worker need not wait for the sandbox's emulators. */
const commands: Readonly<Record<string, () => Promise<(program: Command, io: CommandIo) => void>>> = {
  worker: async () => (await import('./commands/worker.ts')).addWorker,
  enqueue: async () => (await import('./enqueue/command.ts')).addEnqueue,
  check: async () => (await import('./check/command.ts')).addCheck,
  'dead-letters': async () => (await import('./dead-letters/commands/index.ts')).addDeadLetters,
  schema: async () => (await import('./commands/schema.ts')).addSchema,
  jobs: async () => (await import('./jobs/commands/index.ts')).addJobs,
  sandbox: async () => (await import('./sandbox/command.ts')).addSandbox,
};

const wanted = process.argv.slice(2).find((word) => Object.hasOwn(commands, word));
if (wanted === 'jobs') keepMemoryFlat();
if (wanted === 'worker') compileSooner();
for (const [name, load] of Object.entries(commands)) {
  if (wanted === undefined || wanted === name) (await load())(program, io);
}

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
