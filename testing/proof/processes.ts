/** The processes that a proof starts, each with its peak memory. */
import { join } from 'node:path';
import type { Cloud } from '../../src/sandbox/cloud.ts';
import type { Child } from '../processes/child.ts';
import { startOta } from '../processes/ota.ts';
import { cpuMs, peakRssMb } from '../processes/proc.ts';
import { memoryFault } from './memory.ts';

/** Starts all processes of a proof; measures the memory of the commands of `jobs`. */
export class Processes {
  readonly #env: Readonly<Record<string, string>>;
  readonly #folder: string;
  readonly #script: readonly string[] | undefined;
  readonly #children = new Set<Child>();
  /** Peak resident memory of each command of `jobs`, in MB. */
  readonly peakMemory: Record<string, number> = {};
  /** CPU time of the last run of each, in seconds. */
  readonly cpuSeconds: Record<string, number> = {};

  /**
   * @param env in addition to the variables for the cloud, the folder and the rate.
   * @param script what to start instead of this checkout's program.
   */
  constructor(
    cloud: Cloud,
    folder: string,
    rate: number,
    env: Readonly<Record<string, string>> = {},
    script?: readonly string[],
  ) {
    this.#folder = folder;
    this.#script = script;
    this.#env = {
      HOME: folder,
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
      ...env,
    };
  }

  start(...args: readonly string[]): Child {
    const child = startOta(args, {
      cwd: this.#folder,
      env: this.#env,
      keepOutput: args[0] !== 'worker',
      ...(this.#script !== undefined && { script: this.#script }),
    });
    this.#children.add(child);
    child.process.once('exit', () => this.#children.delete(child));
    if (args[0] === 'jobs') this.#measure(child, args[1] ?? '');
    return child;
  }

  async run(...args: readonly string[]): Promise<{ stdout: string; exitCode: number | null }> {
    const child = this.start(...args);
    const { code } = await child.exited;
    const { stdout, stderr } = child.output;
    if (code !== 0 && code !== 3) throw new Error(`${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
    return { stdout, exitCode: code };
  }

  /** One line for each command that took too much. */
  memoryFaults(): string[] {
    return Object.entries(this.peakMemory).flatMap(
      ([command, peak]) => memoryFault(`jobs ${command}`, peak) ?? [],
    );
  }

  async killAll(): Promise<void> {
    await Promise.all([...this.#children].map((child) => child.end()));
  }

  #measure(child: Child, command: string): void {
    const timer = setInterval(() => {
      try {
        const peak = Math.round(peakRssMb(child.pid));
        // A process that has ended but was not reaped has no memory any more.
        if (peak > 0) this.peakMemory[command] = Math.max(this.peakMemory[command] ?? 0, peak);
        this.cpuSeconds[command] = cpuMs(child.pid) / 1_000;
      } catch {
        // Not Linux, or the process has ended.
      }
    }, 100);
    child.process.once('exit', () => clearInterval(timer));
  }
}
