/** Runs commands of `jobs` in this process, in a separate folder. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Command } from 'commander';
import { onTestFinished, vi } from 'vitest';
import type { CommandContext } from '../../src/cli/context.ts';
import type { ChangeRow, LeftOutRow } from '../../src/jobs/plan/format.ts';
import { type Plan, readPlan } from '../../src/jobs/plan/reader.ts';
import type { SimulatedApi } from '../../src/sandbox/simulated-api/index.ts';
import { systemClock } from '../../src/time/clock.ts';
import { type CommandRun, fakeContext, runConfigured } from './context.ts';

const startedAt = Date.parse('2026-11-25T07:00:00Z');

export interface JobsRun {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string;
  readonly terminal?: boolean;
  /** Resolves when the user presses Ctrl-C. */
  readonly interrupt?: Promise<void>;
  /** Parts of the context that replace the fake ones. */
  readonly context?: Partial<CommandContext>;
}

export type AddCommand = (jobs: Command, context: CommandContext) => void;

/** A folder that is removed at the end of the test, and commands that run in it. */
export class JobsFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'jobs-'));

  constructor() {
    onTestFinished(() => rmSync(this.path, { recursive: true }));
  }

  file(name: string, content: string | Buffer): string {
    writeFileSync(join(this.path, name), content);
    return name;
  }

  read(name: string): string {
    return readFileSync(join(this.path, name), 'utf8');
  }

  files(): string[] {
    return readdirSync(this.path).toSorted();
  }

  /** A plan with all its rows: those to change, and those left out. */
  async plan(
    name: string,
  ): Promise<Plan & { readonly all: readonly ChangeRow[]; readonly leftOut: readonly LeftOutRow[] }> {
    const signal = new AbortController().signal;
    const plan = await readPlan(name, { stdin: Readable.from([]), cwd: this.path, signal });
    const rows = await Array.fromAsync(plan.rows());
    await plan.close();
    const all = rows.filter((row): row is ChangeRow => !('LeftOut' in row));
    return { ...plan, all, leftOut: rows.filter((row): row is LeftOutRow => 'LeftOut' in row) };
  }

  async run(add: AddCommand, args: readonly string[], options: JobsRun = {}): Promise<CommandRun> {
    const { env = {}, stdin = '', terminal = false, interrupt } = options;
    const context = fakeContext({
      env: { RATE_LIMIT: 'unlimited', AWS_REGION: 'eu-west-1', ...env },
      cwd: this.path,
      stdin: Object.assign(Readable.from([Buffer.from(stdin)]), { isTTY: terminal }),
      isTerminal: terminal,
      clock: { wall: () => startedAt, monotonic: systemClock.monotonic },
      // The longest wait here is for `check`, which must not be late.
      sleep: (ms, signal) =>
        ms < 5_000
          ? Promise.resolve()
          : new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
      onSignal: (listener) => {
        void interrupt?.then(() => listener('SIGINT'));
        return () => {};
      },
      ...options.context,
    });
    if (terminal) Object.assign(context.stderr, { columns: 80 });
    return await runConfigured(add, 'jobs', args, context);
  }
}

/** Sets the variables that the SDK reads from the process itself. */
export function useApi(api?: SimulatedApi): void {
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  if (api !== undefined) vi.stubEnv('AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS', api.url);
  onTestFinished(() => void vi.unstubAllEnvs());
}
