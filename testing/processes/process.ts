/** Commands as real processes, for tests; each is killed at the end of its test at the latest. */
import { onTestFinished } from 'vitest';
import type { Child, Exit } from './child.ts';
import { type LogLine, type OtaOptions, parseLine, startOta } from './ota.ts';
import type { RunningWorker } from './worker.ts';

export interface WorkerProcess extends RunningWorker {
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  /** Closes our end of its stdout: from now on nobody reads it. */
  closeOutput(): void;
}

/**
 * Starts `ota-updater worker` with only this environment; killed at the end of the test.
 * @param nodeOptions for Node itself, before the script.
 * @param script what to start instead of `otaProgram`.
 */
export function spawnWorker(
  env: Readonly<Record<string, string>>,
  nodeOptions: readonly string[] = [],
  script?: readonly string[],
): WorkerProcess {
  const child = start(['worker'], { env, nodeOptions, ...(script && { script }) });
  const lines: LogLine[] = [];
  child.onLine((text, from) => {
    const line = from === 'stdout' ? parseLine(text) : undefined;
    if (line !== undefined) lines.push(line);
  });
  const waitForLine = async (predicate: (line: LogLine) => boolean): Promise<LogLine> =>
    child.find((text, from) => {
      const line = from === 'stdout' ? parseLine(text) : undefined;
      return line !== undefined && predicate(line) ? line : undefined;
    });
  return {
    pid: child.pid,
    get url() {
      const address = lines.find((line) => line.event === 'http.listening')?.address;
      return typeof address === 'string' ? address : '';
    },
    lines: () => lines,
    raw: () => ({ ...child.output }),
    waitForLine,
    waitForEvent: (event) => waitForLine((line) => line.event === event),
    exited: child.exited,
    kill: (signal) => child.signal(signal),
    closeOutput: () => {
      child.process.stdout?.destroy();
    },
  };
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly cwd?: string;
  /** Nobody reads what it prints, as after `| head`. */
  readonly stdoutClosed?: boolean;
  /** What to start instead of `otaProgram`. */
  readonly script?: readonly string[];
}

export interface CommandResult extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end; killed at the end of the test at the latest. */
export async function runCommand(
  args: readonly string[],
  { env = {}, stdin = '', stdoutClosed = false, ...options }: CommandOptions = {},
): Promise<CommandResult> {
  const child = start(args, { env, stdin: 'pipe', ...options });
  if (stdoutClosed) child.process.stdout?.destroy();
  child.process.stdin?.on('error', () => {});
  child.process.stdin?.end(stdin);
  return { ...(await child.exited), ...child.output };
}

/** Starts a command with only this environment; killed at the end of the test. */
export function spawnCommand(args: readonly string[], env: Readonly<Record<string, string>>): Child {
  return start(args, { env });
}

function start(args: readonly string[], options: OtaOptions): Child {
  const child = startOta(args, { ...options, keepOutput: true });
  onTestFinished(() => child.end());
  return child;
}
