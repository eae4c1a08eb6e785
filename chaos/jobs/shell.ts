/** The shell of a person who steers a job: one command after the other, each with a unique reason. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startOta } from '../../testing/processes/ota.ts';
import type { Commands } from '../../testing/proof/job.ts';
import type { SteerCommand } from '../harness/schedule.ts';
import type { Typed } from './audit.ts';

export interface ShellOptions {
  readonly jobId: string;
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly random: () => number;
  readonly say: (line: string) => void;
}

interface Ran {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const RETRY_MS = 500;

export class Shell implements Commands {
  readonly typed: Typed[] = [];
  /** What the last successful `set` has set; undefined while it is unknown whether one succeeded. */
  lastSet: Readonly<Record<string, number>> | undefined = {};
  readonly #options: ShellOptions;
  /** How many commands want the job to stand still. */
  #holding = 0;
  #last: Promise<unknown> = Promise.resolve();
  #number = 0;
  #over = false;

  constructor(options: ShellOptions) {
    this.#options = options;
  }

  /** From now on, failing commands are not repeated. */
  giveUp(): void {
    this.#over = true;
  }

  /** Runs a command. @throws Error if it fails. */
  async run(...args: readonly string[]): Promise<{ stdout: string }> {
    const ran = await this.try(...args);
    if (ran.exitCode === 0 || ran.exitCode === 3) return ran;
    throw new Error(`${args.join(' ')} ended with ${ran.exitCode}: ${ran.stdout}${ran.stderr}`);
  }

  async try(...args: readonly string[]): Promise<Ran> {
    const { folder, env } = this.#options;
    const child = startOta(args, { cwd: folder, env, keepOutput: true });
    const { code } = await child.exited;
    return { exitCode: code, ...child.output };
  }

  /** Types a command; a job that it has brought to a stop is resumed after `ms`. */
  async steer(command: SteerCommand, ms: number): Promise<void> {
    if (command === 'set') return await this.#set();
    this.#holding++;
    await this.#type(command);
    await sleep(ms);
    if (--this.#holding > 0) return;
    while (!this.#over && (await this.#type('resume', '--detach')) !== 0) await sleep(RETRY_MS);
  }

  async #set(): Promise<void> {
    const { random } = this.#options;
    const window = 50 + Math.floor(random() * 300);
    const rate = 200 + Math.floor(random() * 400);
    const code = await this.#type('set', '--window', String(window), '--rate', String(rate));
    this.lastSet = code === 0 ? { window, rate } : undefined;
  }

  /** @returns its exit code. */
  async #type(command: string, ...args: readonly string[]): Promise<number | null> {
    const { jobId, say } = this.#options;
    const before = this.#last;
    const run = async (): Promise<number | null> => {
      await before;
      const reason = `reason ${++this.#number}`;
      const { exitCode, stderr } = await this.try('jobs', command, jobId, ...args, '--reason', reason);
      const said = stderr.trim();
      this.typed.push({ command, reason, exitCode, said });
      if (exitCode !== 0) say(`jobs ${command} ended with ${exitCode}: ${said}`);
      return exitCode;
    };
    const running = run();
    this.#last = running;
    return await running;
  }
}
