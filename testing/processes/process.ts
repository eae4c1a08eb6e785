/** Commands as processes of their own, really spawned and really killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What `npm run ota` runs, without the `node` it begins with: tests start what users start. */
const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { scripts: { ota: string } };
const [, ...program] = scripts.ota
  .split(' ')
  .map((word) => word.replace('src/main.ts', `${root}src/main.ts`));

/** What a process has besides the environment it is given; the compile cache is the test run's (vitest.config.ts). */
const surroundings = {
  PATH: process.env.PATH,
  HOME: '/nonexistent',
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
};

/** A line of the worker's log. */
export type LogLine = Readonly<Record<string, unknown>>;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface WorkerProcess {
  readonly pid: number;
  /** Where health and metrics are; empty until `waitForLine` saw `http.listening`. */
  readonly url: string;
  /** What is on stdout so far that is JSON, in order. */
  lines(): readonly LogLine[];
  /** Everything on stdout and stderr so far. */
  raw(): { readonly stdout: string; readonly stderr: string };
  /** The first line, past or to come, that fits; rejects when the process ends without one. */
  waitForLine(predicate: (line: LogLine) => boolean): Promise<LogLine>;
  /** The first line of that event. */
  waitForEvent(event: string): Promise<LogLine>;
  readonly exited: Promise<Exit>;
  kill(signal: NodeJS.Signals): void;
  /** Closes our end of its stdout: from now on nobody reads. */
  closeOutput(): void;
}

/**
 * Starts `node src/main.ts worker` with this environment and no other; killed at the end of the test.
 * @param nodeOptions for the runtime itself, before the script.
 * @param script what to start instead: the bundle, say.
 */
export function spawnWorker(
  env: Readonly<Record<string, string>>,
  nodeOptions: readonly string[] = [],
  script: readonly string[] = program,
): WorkerProcess {
  const child = start([...nodeOptions, ...script, 'worker'], env, root);
  const output = collect(child);
  const lines: LogLine[] = [];
  const watchers = new Set<() => void>();
  let partial = '';
  child.stdout?.on('data', (text: string) => {
    const parts = (partial + text).split('\n');
    partial = parts.pop() ?? '';
    for (const part of parts) {
      const line = parse(part);
      if (line !== undefined) lines.push(line);
    }
    for (const watcher of watchers) watcher();
  });
  const exited = exitOf(child);
  const waitForLine = (predicate: (line: LogLine) => boolean): Promise<LogLine> => {
    const { promise, resolve, reject } = Promise.withResolvers<LogLine>();
    let seen = 0;
    const watcher = (): void => {
      for (; seen < lines.length; seen++) {
        const line = lines[seen];
        if (line === undefined || !predicate(line)) continue;
        watchers.delete(watcher);
        resolve(line);
        return;
      }
    };
    watchers.add(watcher);
    watcher();
    void exited.then(({ code, signal }) => {
      reject(new Error(`the worker ended (${code ?? signal}) without that line:\n${output.stderr}${tail()}`));
    });
    return promise;
  };
  const tail = (): string => output.stdout.slice(-2_000);
  return {
    pid: child.pid ?? 0,
    get url() {
      const address = lines.find((line) => line.event === 'http.listening')?.address;
      return typeof address === 'string' ? address : '';
    },
    lines: () => lines,
    raw: () => ({ ...output }),
    waitForLine,
    waitForEvent: (event) => waitForLine((line) => line.event === event),
    exited,
    kill: (signal) => {
      child.kill(signal);
    },
    closeOutput: () => {
      child.stdout?.destroy();
    },
  };
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly cwd?: string;
  /** Nobody reads what it prints, as after `| head`. */
  readonly stdoutClosed?: boolean;
  /** What to start instead of `src/main.ts`. */
  readonly script?: readonly string[];
}

export interface CommandResult extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `node src/main.ts <args>` to its end; killed at the end of the test at the latest. */
export async function runCommand(
  args: readonly string[],
  { env = {}, stdin = '', cwd = root, stdoutClosed = false, script = program }: CommandOptions = {},
): Promise<CommandResult> {
  const child = start([...script, ...args], env, cwd);
  if (stdoutClosed) child.stdout?.destroy();
  const output = collect(child);
  child.stdin?.on('error', () => {});
  child.stdin?.end(stdin);
  const exit = await exitOf(child);
  return { ...exit, ...output };
}

export interface SpawnedCommand {
  readonly exited: Promise<Exit>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts `node src/main.ts <args>` with this environment and no other; killed at the end of the test. */
export function spawnCommand(args: readonly string[], env: Readonly<Record<string, string>>): SpawnedCommand {
  const child = start([...program, ...args], env, root);
  collect(child);
  return {
    exited: exitOf(child),
    kill: (signal) => {
      child.kill(signal);
    },
  };
}

function start(args: readonly string[], env: Readonly<Record<string, string>>, cwd: string): ChildProcess {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...surroundings, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  });
  return child;
}

function collect(child: ChildProcess): { stdout: string; stderr: string } {
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  return output;
}

/** Resolves when the process is gone and its output has been read to the end. */
async function exitOf(child: ChildProcess): Promise<Exit> {
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal };
}

function parse(text: string): LogLine | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as LogLine) : undefined;
  } catch {
    return undefined;
  }
}
