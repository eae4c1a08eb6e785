/** Child processes: every one is known here, and none outlives the bench. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface ChildOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly nodeArgs?: readonly string[];
  /** A channel for messages between the two processes. */
  readonly ipc?: boolean;
}

const children = new Set<ChildProcess>();
/** How long a child may take to end before it is killed, in milliseconds. */
const END_WITHIN_MS = 10_000;
const START_WITHIN_MS = 20_000;

/** Starts a Node process in a process group of its own; its stderr is ours, its stdout is read or thrown away. */
export function startNode(
  script: string,
  args: readonly string[],
  { env, nodeArgs = [], ipc = false }: ChildOptions,
): ChildProcess {
  return start(process.execPath, [...nodeArgs, script, ...args], env, ipc);
}

export function start(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  ipc = false,
): ChildProcess {
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/', ...env },
    stdio: ['ignore', 'pipe', 'inherit', ...(ipc ? (['ipc'] as const) : [])],
    detached: true,
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** The first line of its stdout, as JSON; what comes after it is thrown away. */
export async function firstLine<T>(child: ChildProcess): Promise<T> {
  if (child.stdout === null) throw new Error('the child has no stdout');
  const lines = createInterface({ input: child.stdout });
  const ended = new AbortController();
  child.once('exit', () => ended.abort(new Error('the child ended before it was ready')));
  const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(START_WITHIN_MS)]);
  const [line] = (await once(lines, 'line', { signal })) as [string];
  lines.on('line', () => undefined);
  return JSON.parse(line) as T;
}

/** Asks it to end, and makes it after a while. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  signalGroup(child, signal);
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), END_WITHIN_MS);
  await gone;
  clearTimeout(timer);
}

/** Kills whatever is still there, at once: for the end of the bench, good or bad. */
export function killAll(): void {
  for (const child of children) signalGroup(child, 'SIGKILL');
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone by now.
  }
}
