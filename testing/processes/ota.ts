/** `ota-updater` of this checkout as a process: started like `npm run ota`, or as built for a test run. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child, type ChildOptions } from './child.ts';

/** The checkout. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The variable with the path of the built program, for the tests of a run and all that they start; see build-program.ts. */
export const BUILT_PROGRAM = 'OTA_UPDATER_BUILT_PROGRAM';

/** What `npm run ota` runs, without the initial `node`. */
const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { scripts: { ota: string } };
const source: readonly string[] = scripts.ota
  .split(' ')
  .slice(1)
  .map((word) => word.replace('src/main.ts', `${root}src/main.ts`));

/** Node's arguments that start `ota-updater`: the built program if there is one, which needs half the CPU to start. */
export function otaProgram(): readonly string[] {
  const { [BUILT_PROGRAM]: built } = process.env;
  return built === undefined ? source : ['--', built];
}

/** Variables of a process in addition to its given environment. It uses the compile cache of the run, if there is one. */
export const surroundings = {
  PATH: process.env.PATH,
  HOME: '/nonexistent',
  // Hints name this, whether the source or the built program prints them.
  OTA_UPDATER_COMMAND: 'ota-updater',
  ...(process.env.NODE_COMPILE_CACHE !== undefined && {
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
  }),
};

export interface OtaOptions extends ChildOptions {
  /** Options for Node itself, before the script. */
  readonly nodeOptions?: readonly string[];
  /** What to start instead of {@link otaProgram}. */
  readonly script?: readonly string[];
}

/** Starts a command of `ota-updater` with only this environment. */
export function startOta(args: readonly string[], options: OtaOptions): Child {
  const { nodeOptions = [], script = otaProgram(), env, cwd = root } = options;
  return Child.startNode([...nodeOptions, ...script, ...args], {
    ...options,
    cwd,
    env: { ...surroundings, ...env },
  });
}

/** A line of the worker's log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** A line of the log; undefined if it is not a JSON object. */
export function parseLine(text: string): LogLine | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as LogLine) : undefined;
  } catch {
    return undefined;
  }
}

/** A running sandbox, and what another process needs to use it. */
export interface SandboxProcess {
  readonly child: Child;
  /** From its directions: queues, endpoints, region, credentials. */
  readonly env: Readonly<Record<string, string>>;
}

/** Starts `ota-updater sandbox` with these flags, without its console; resolves when it is up. */
export async function startSandbox(
  flags: readonly string[],
  options: Omit<OtaOptions, 'keepOutput'>,
): Promise<SandboxProcess> {
  const child = startOta(['sandbox', '--no-console', ...flags], { ...options, keepOutput: true });
  await child.find((line) => (line.includes('Ctrl-C ends it.') ? true : undefined));
  const [, envFile = ''] = /^ {2}variables {2}(\S+), /m.exec(child.output.stderr) ?? [];
  const entries = readFileSync(join(options.cwd ?? root, envFile), 'utf8').matchAll(
    /\b((?:[A-Z]+_)*(?:QUEUE_URL|AWS_[A-Z_]+))=(\S+)/g,
  );
  return { child, env: Object.fromEntries([...entries].map(([, name = '', value = '']) => [name, value])) };
}
