/** The command line: global options, and all commands by name. */
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { Command } from 'commander';
import type { CommandContext } from './cli/context.ts';
import { ProgramCommand } from './cli/program-command.ts';
import { compileSooner, keepMemoryFlat } from './cli/v8-flags.ts';
import { causeOf, misuse } from './errors.ts';
import { mayHaveColours } from './text/colours.ts';
import { columnsOf, WIDTH } from './text/layout.ts';
import { printableLines } from './text/printable.ts';
import { version } from './version.ts';

/** Gives a command its description, arguments, options and action. */
type Configure = (command: Command, context: CommandContext) => void;

interface Entry {
  readonly summary: string;
  /** Sets V8's flags before the command's modules are loaded. */
  readonly prepare?: () => void;
  readonly load: () => Promise<Configure>;
}

/** A command is loaded when it is used, so a worker does not wait for the sandbox's emulators. */
const commands: Readonly<Record<string, Entry>> = {
  worker: {
    summary: 'consume updates from the queue and apply them',
    prepare: compileSooner,
    load: async () => (await import('./commands/worker.ts')).configureWorker,
  },
  enqueue: {
    summary: 'validate a file of updates and put them on the queue',
    load: async () => (await import('./enqueue/command.ts')).configureEnqueue,
  },
  check: {
    summary: 'check configuration, queues, permissions and clock, and say what to fix',
    load: async () => (await import('./check/command.ts')).configureCheck,
  },
  'dead-letters': {
    summary: 'sort dead letters by cause, look at them, put them back, delete them',
    load: async () => (await import('./dead-letters/commands/index.ts')).configureDeadLetters,
  },
  schema: {
    summary: 'print the JSON Schema of a message body',
    load: async () => (await import('./commands/schema.ts')).configureSchema,
  },
  jobs: {
    summary: 'plan, apply and follow bulk jobs',
    prepare: keepMemoryFlat,
    load: async () => (await import('./jobs/commands/index.ts')).configureJobs,
  },
  configs: {
    summary: 'task configurations: list, show, compare and create them',
    load: async () => (await import('./configs/commands/command.ts')).configureConfigs,
  },
  status: {
    summary: 'show whether updates go through, how fast, how long they will take, and what is wrong',
    load: async () => (await import('./status/commands/command.ts')).configureStatus,
  },
  limits: {
    summary: 'lower the rate and the calls in flight of running workers, through Redis',
    load: async () => (await import('./limits/commands/command.ts')).configureLimits,
  },
  trace: {
    summary: 'show what happened to a task: every known update of it, and how it ended',
    load: async () => (await import('./trace/commands/command.ts')).configureTrace,
  },
  console: {
    summary: 'serve pages to watch and steer everything in a browser',
    load: async () => (await import('./console/commands/command.ts')).configureConsole,
  },
  health: {
    summary: "ask this container's workers whether they are alive",
    load: async () => (await import('./commands/health.ts')).configureHealth,
  },
  sandbox: {
    summary: 'run everything in one process; nothing else is needed',
    load: async () => (await import('./sandbox/commands/sandbox.ts')).configureSandbox,
  },
  completion: {
    summary: 'print the script for shell completion of commands and flags',
    load: async () => (await import('./commands/completion.ts')).configureCompletion,
  },
};

/**
 * Runs the command that `args` names.
 * @param onBegin called when everything is loaded, just before the command begins.
 * @throws CommandError; CommanderError after the help or the version was printed.
 */
export async function runProgram(
  args: readonly string[],
  context: CommandContext,
  onBegin: () => void = () => {},
): Promise<void> {
  const program = await loadProgram(args, context);
  program.hook('preAction', () => {
    loadEnvFile(program.opts<{ envFile?: string }>().envFile, context.stderr);
    onBegin();
  });
  const [first, ...rest] = program.parseOptions([...args]).operands;
  // Commander's own `help` takes a single name: `help jobs plan` would show the help of `jobs`.
  const known = find(program, rest) !== undefined;
  const asked = first === 'help' ? [...rest, ...(known ? ['--help'] : [])] : args;
  await program.parseAsync(asked, { from: 'user' });
}

/**
 * The program, with all commands registered by name. Only the command that `args` names is loaded in full. All are loaded
 * for a completion, and for an unknown name, which is compared with every known one.
 */
export async function loadProgram(args: readonly string[], context: CommandContext): Promise<Command> {
  const program = new ProgramCommand('ota-updater', context);
  program
    .description('Applies OTA task updates from an SQS queue to AWS IoT Managed Integrations.')
    .version(version, '-V, --version', 'print the version')
    .option(
      '--env-file <path>',
      'read environment variables from a file; a variable that is already set wins',
    )
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command...]', 'print the help of a command')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(printableLines(text)),
      getOutHelpWidth: () => columnsOf(context.stdout) ?? WIDTH,
      getOutHasColors: () => mayHaveColours(context.stdout, context.env),
      getErrHasColors: () => mayHaveColours(context.stderr, context.env),
      getErrHelpWidth: () => columnsOf(context.stderr) ?? WIDTH,
    });
  const [first, second] = program.parseOptions([...args]).operands;
  const wanted = first === 'help' ? second : first;
  const whole = wanted !== undefined && (wanted === 'completion' || !Object.hasOwn(commands, wanted));
  for (const [name, { summary, prepare, load }] of Object.entries(commands)) {
    const command = program.command(name).summary(summary);
    if (name !== wanted && !whole) continue;
    if (!whole) prepare?.();
    (await load())(command, context);
  }
  return program;
}

function find(program: Command, names: readonly string[]): Command | undefined {
  let found: Command | undefined = program;
  for (const name of names) found = found?.commands.find((command) => command.name() === name);
  return found;
}

function loadEnvFile(path: string | undefined, stderr: CommandContext['stderr']): void {
  if (path === undefined) return;
  let variables: ReturnType<typeof parseEnv>;
  try {
    variables = parseEnv(readFileSync(path, 'utf8'));
    process.loadEnvFile(path);
  } catch (error) {
    throw misuse(`--env-file: ${path} cannot be read: ${causeOf(error)}.`);
  }
  // Warn: a shell that was set up for another queue would otherwise silently use that queue.
  const before = Object.keys(variables).filter((name) => process.env[name] !== variables[name]);
  if (before.length > 0)
    stderr.write(
      printableLines(`--env-file: variables that are already set win over ${path}: ${before.join(', ')}.\n`),
    );
}
