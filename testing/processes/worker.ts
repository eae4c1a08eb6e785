/**
 * Runs the `worker` command in this process instead of a separate one, to test what a worker does, rather than how its process
 * starts and ends. This takes a tenth of the CPU.
 */
import { onTestFinished, vi } from 'vitest';
import { configureWorker } from '../../src/commands/worker.ts';
import { sleep } from '../../src/time/clock.ts';
import { fakeContext, runConfigured } from '../stages/context.ts';
import { type LogLine, parseLine } from './ota.ts';

/** A worker that was started by its command, seen from outside. */
export interface RunningWorker {
  /** The URL of health and metrics; empty until `waitForLine` has seen `http.listening`. */
  readonly url: string;
  /** The JSON lines on stdout so far, in order. */
  lines(): readonly LogLine[];
  /** Everything on stdout and stderr so far. */
  raw(): { readonly stdout: string; readonly stderr: string };
  /** The first matching line, past or future; rejects if the worker ends without one. */
  waitForLine(predicate: (line: LogLine) => boolean): Promise<LogLine>;
  /** The first line of that event. */
  waitForEvent(event: string): Promise<LogLine>;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  kill(signal: 'SIGTERM' | 'SIGINT'): void;
}

/** At the end of a test, unfinished work is not waited for long. */
const SHUTDOWN_GRACE_SECONDS = '5';

/** Runs `ota-updater worker` in this process; stopped at the end of the test. Until then, the process has its environment. */
export function runWorker(env: Readonly<Record<string, string>>): RunningWorker {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const context = fakeContext({ env: { SHUTDOWN_GRACE_SECONDS, ...env }, random: Math.random, sleep });
  const lines: LogLine[] = [];
  const watchers = new Set<(line: LogLine) => void>();
  let partial = '';
  context.stdout.on('data', (chunk: Buffer) => {
    const texts = (partial + chunk.toString()).split('\n');
    partial = texts.pop() ?? '';
    for (const text of texts) {
      const line = parseLine(text);
      if (line === undefined) continue;
      lines.push(line);
      for (const watcher of watchers) watcher(line);
    }
  });
  let error = '';
  const running = runConfigured(configureWorker, 'worker', [], context);
  const exited = running.then((ran) => {
    error = ran.error;
    return { code: ran.exitCode, signal: null };
  });
  onTestFinished(async () => {
    context.signal('SIGTERM');
    await running;
    vi.unstubAllEnvs();
  });
  const waitForLine = (predicate: (line: LogLine) => boolean): Promise<LogLine> => {
    const past = lines.find(predicate);
    if (past !== undefined) return Promise.resolve(past);
    const { promise, resolve, reject } = Promise.withResolvers<LogLine>();
    const watcher = (line: LogLine): void => {
      if (predicate(line)) resolve(line);
    };
    watchers.add(watcher);
    const stop = (): boolean => watchers.delete(watcher);
    promise.then(stop, stop);
    exited.then(
      ({ code }) => reject(new Error(`the worker ended (${code}) without that line: ${error}`)),
      reject,
    );
    return promise;
  };
  return {
    get url() {
      const address = lines.find((line) => line.event === 'http.listening')?.address;
      return typeof address === 'string' ? address : '';
    },
    lines: () => lines,
    raw: () => ({ ...context.output, stderr: context.output.stderr + error }),
    waitForLine,
    waitForEvent: (event) => waitForLine((line) => line.event === event),
    exited,
    kill: (signal) => context.signal(signal),
  };
}
