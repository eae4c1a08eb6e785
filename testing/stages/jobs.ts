/** Runs commands of `jobs` in this process, in a folder of their own. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import { onTestFinished, vi } from 'vitest';
import { CommandError, type CommandIo } from '../../src/cli/io.ts';
import type { JobSurroundings } from '../../src/jobs/commands/surroundings.ts';
import { type Plan, readPlan } from '../../src/jobs/plan/reader.ts';
import type { LeftOutRow, PlanRow } from '../../src/jobs/plan/types.ts';
import type { SimulatedApi } from '../../src/sandbox/simulated-api/index.ts';
import { systemClock } from '../../src/time/clock.ts';

export const startedAt = Date.parse('2026-11-25T07:00:00Z');

export interface JobsRun {
  readonly env?: Record<string, string>;
  readonly stdin?: string;
  readonly terminal?: boolean;
  /** Resolves when the user presses Ctrl-C. */
  readonly interrupt?: Promise<void>;
}

export type AddCommand = (jobs: Command, io: CommandIo, surroundings: JobSurroundings) => void;

export interface JobsResult {
  readonly exitCode: number;
  readonly error: string;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder that is gone when the test is, and commands that run in it. */
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

  /** A plan with all of its rows: those to change, and those left out. */
  async plan(
    name: string,
  ): Promise<Plan & { readonly all: readonly PlanRow[]; readonly leftOut: readonly LeftOutRow[] }> {
    const signal = new AbortController().signal;
    const plan = await readPlan(name, { stdin: Readable.from([]), cwd: this.path, signal });
    const rows = await Array.fromAsync(plan.rows());
    await plan.close();
    const all = rows.filter((row): row is PlanRow => !('LeftOut' in row));
    return { ...plan, all, leftOut: rows.filter((row): row is LeftOutRow => 'LeftOut' in row) };
  }

  async run(add: AddCommand, args: readonly string[], options: JobsRun = {}): Promise<JobsResult> {
    const { env = {}, stdin = '', terminal = false, interrupt } = options;
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    if (terminal) Object.assign(stderr, { isTTY: true, columns: 80 });
    const io: CommandIo = {
      env: { RATE_LIMIT: 'unlimited', ...env },
      stdin: Readable.from([Buffer.from(stdin)]),
      stdout,
      stderr,
      isTerminal: terminal,
      onSignal: (listener) => {
        void interrupt?.then(() => listener('SIGINT'));
        return () => {};
      },
      exitNow: () => {},
      exitCode: 0,
    };
    const program = new Command().exitOverride();
    add(program.command('jobs'), io, {
      cwd: this.path,
      clock: { wall: () => startedAt, monotonic: systemClock.monotonic },
      random: () => 0,
      // The longest wait here is for `check`, which is not to be late.
      sleep: (ms, signal) =>
        ms < 5_000
          ? Promise.resolve()
          : new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
    });
    let error = '';
    try {
      await program.parseAsync(['jobs', ...args], { from: 'user' });
    } catch (thrown) {
      if (!(thrown instanceof CommandError)) throw thrown;
      io.exitCode = thrown.exitCode;
      error = thrown.message;
    }
    stdout.end();
    stderr.end();
    return { exitCode: io.exitCode, error, stdout: await text(stdout), stderr: await text(stderr) };
  }
}

/** What the SDK reads from the process itself. */
export function useApi(api?: SimulatedApi): void {
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  if (api !== undefined) vi.stubEnv('AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS', api.url);
  onTestFinished(() => void vi.unstubAllEnvs());
}
