/** The processes that a proof starts, each with the peak of its memory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Cloud } from '../../src/sandbox/cloud.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** What the commands of `jobs` may take, in MB. */
export const MAX_PEAK_MB = 150;

/** Everything a proof starts; measures the memory of the commands of `jobs`. */
export class Processes {
  readonly #env: Readonly<Record<string, string>>;
  readonly #folder: string;
  readonly #children = new Set<ChildProcess>();
  /** Resident memory of each command of `jobs` at its peak, in MB. */
  readonly peakMemory: Record<string, number> = {};
  /** Processor time of the last run of each, in seconds. */
  readonly cpuSeconds: Record<string, number> = {};

  constructor(cloud: Cloud, folder: string, rate: number) {
    this.#folder = folder;
    this.#env = {
      PATH: process.env.PATH ?? '',
      HOME: folder,
      // Given by the tests: what each process of a proof compiles is the same.
      ...(process.env.NODE_COMPILE_CACHE !== undefined && {
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      }),
      QUEUE_URL: cloud.queueUrl,
      DEAD_LETTER_QUEUE_URL: cloud.deadLetterQueueUrl,
      OUTCOME_QUEUE_URL: cloud.outcomeQueueUrl,
      AWS_ENDPOINT_URL_SQS: cloud.sqsUrl,
      AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS: cloud.api.url,
      AWS_REGION: cloud.client.region as string,
      AWS_ACCESS_KEY_ID: 'proof',
      AWS_SECRET_ACCESS_KEY: 'proof',
      STATE_DIR: join(folder, 'state'),
      RATE_LIMIT: String(rate),
      VISIBILITY_TIMEOUT_SECONDS: '5',
      HTTP_PORT: '0',
      LOG_LEVEL: 'warn',
    };
  }

  start(...args: readonly string[]): ChildProcess {
    const quiet = args[0] === 'worker' ? ('ignore' as const) : ('pipe' as const);
    const child = spawn(process.execPath, [main, ...args], {
      cwd: this.#folder,
      env: this.#env,
      stdio: ['ignore', quiet, quiet],
    });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    if (args[0] === 'jobs') this.#measure(child, args[1] ?? '');
    return child;
  }

  async run(...args: readonly string[]): Promise<{ stdout: string; exitCode: number | null }> {
    const child = this.start(...args);
    const [stdout, stderr] = await Promise.all([child.stdout, child.stderr].map((s) => (s ? text(s) : '')));
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    if (child.exitCode !== 0 && child.exitCode !== 3) {
      throw new Error(`${args.join(' ')} ended with ${child.exitCode}: ${stdout}${stderr}`);
    }
    return { stdout: stdout ?? '', exitCode: child.exitCode };
  }

  /** A line for each command that took too much. */
  memoryFaults(): string[] {
    return Object.entries(this.peakMemory)
      .filter(([, peak]) => peak > MAX_PEAK_MB)
      .map(([command, peak]) => `jobs ${command} took ${peak} MB, more than ${MAX_PEAK_MB}`);
  }

  async killAll(): Promise<void> {
    await Promise.all([...this.#children].map(kill));
  }

  #measure(child: ChildProcess, command: string): void {
    const timer = setInterval(() => {
      try {
        const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
        const peak = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024;
        this.peakMemory[command] = Math.round(Math.max(this.peakMemory[command] ?? 0, peak));
        // After the name in parentheses: fields 14 and 15 of proc(5), in hundredths of a second.
        const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
        this.cpuSeconds[command] = (Number(stat[11]) + Number(stat[12])) / 100;
      } catch {
        // Not Linux, or gone.
      }
    }, 100);
    child.once('exit', () => clearInterval(timer));
  }
}

/** SIGKILL; resolves when it is gone. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
