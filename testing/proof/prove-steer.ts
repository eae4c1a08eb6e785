/**
 * The proof of steering: a job is left to senders, some of which are killed. Other processes pause, slow down, resume and stop
 * it, and it is resumed to its end. Then the report is compared, row by row, with what the simulated API holds.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cloud, startCloud } from '../../src/sandbox/cloud.ts';
import type { Child } from '../processes/child.ts';
import { type Compared, compareReport, JOB, makePlan, planFaults, prepare } from './job.ts';
import { Processes } from './processes.ts';
import { type Standing, standingOf } from './standing.ts';

export interface SteerOptions {
  readonly rows: number;
  /** Maximum calls per second of each worker. */
  readonly rate: number;
  /** Maximum number of rows in flight. */
  readonly window: number;
  /** Maximum number of rows sent per second, until the job is slowed down. */
  readonly jobRate: number;
  /** Maximum number of rows sent per second, from the pause to the stop. */
  readonly slowRate: number;
  /** Number of concurrent senders. */
  readonly senders: number;
  /** How often the process that sends the job is killed; each time, another one is started if none is left. */
  readonly kills: number;
  /** URL of the ledger, if it is not in the folder. */
  readonly ledgerUrl?: string;
  /** The job is stopped when the API was called for this share of its rows: more than 0.4. */
  readonly stopAt: number;
  readonly say: (line: string) => void;
}

export interface SteerProof extends Compared {
  readonly kills: number;
  /** Rows that were sent after the command that paused the job had returned. */
  readonly sentAfterPause: number;
  /** Calls per second at the slow rate. */
  readonly perSecondSlowed: number;
  /** Rows that may have been sent twice, as the ledger counts them. */
  readonly maybeTwice: number;
  /** Calls beyond one per row, excluding rows that are refused or as wanted by the plan. */
  readonly extraCalls: number;
  readonly seconds: number;
  readonly peakMemory: Readonly<Record<string, number>>;
}

/** Between looks at the ledger, in milliseconds. */
const LOOK_EVERY_MS = 50;

export async function proveSteer(options: SteerOptions): Promise<SteerProof> {
  const folder = mkdtempSync(join(tmpdir(), 'prove-steer-'));
  const cloud = await startCloud({ host: '127.0.0.1', sqsPort: 0, apiPort: 0, token: 'proof', api: {} });
  const env = {
    LOG_LEVEL: 'info',
    ...(options.ledgerUrl !== undefined && { LEDGER_URL: options.ledgerUrl }),
  };
  const processes = new Processes(cloud, folder, options.rate, env);
  try {
    return await new Proof(options, cloud, processes, folder).run();
  } finally {
    await processes.killAll();
    await cloud.close();
    rmSync(folder, { recursive: true });
  }
}

class Proof {
  readonly #options: SteerOptions;
  readonly #cloud: Cloud;
  readonly #processes: Processes;
  readonly #folder: string;
  readonly #senders = new Set<Child>();
  #callsBefore = 0;

  constructor(options: SteerOptions, cloud: Cloud, processes: Processes, folder: string) {
    this.#options = options;
    this.#cloud = cloud;
    this.#processes = processes;
    this.#folder = folder;
  }

  async run(): Promise<SteerProof> {
    const { rows, window, jobRate, slowRate, senders, kills, stopAt, say } = this.#options;
    await prepare(this.#cloud, this.#folder, rows);
    const plan = await makePlan(this.#processes);
    this.#cloud.api.configure({
      tasks: { kind: 'all', exceptPrefix: 'unknown' },
      denied: { prefix: 'denied' },
    });
    this.#callsBefore = this.#cloud.api.stats().calls;
    const startedAt = performance.now();
    this.#processes.start('worker');
    this.#processes.start('worker');
    const bounds = ['--window', String(window), '--rate', String(jobRate)];
    await this.#jobs('apply', 'plan.jsonl', '--yes', '--detach', ...bounds);
    for (let i = 0; i < senders; i++) this.#startSender();

    for (let i = 1; i <= kills; i++) {
      await this.#called((0.3 * i) / kills);
      await this.#killHolder();
      say(`killed the process that sends the job, at ${Math.round((30 * i) / kills)}%`);
      if (this.#senders.size === 0) this.#startSender();
    }
    await this.#called(0.4);
    await this.#jobs('pause', JOB, '--reason', 'the proof');
    const paused = await this.#standing();
    const quiet = await this.#until(({ counts }) => counts.inFlight === 0);
    const sentAfterPause = paused.counts.planned - quiet.counts.planned;
    say(`paused at 40%: ${sentAfterPause} rows were sent after it`);
    await this.#jobs('set', JOB, '--rate', String(slowRate));
    await this.#jobs('resume', JOB, '--detach');
    const slowedAt = { time: performance.now(), calls: this.#cloud.api.stats().calls };
    await this.#called(stopAt);
    const slowMs = performance.now() - slowedAt.time;
    const slowCalls = this.#cloud.api.stats().calls - slowedAt.calls;
    await this.#jobs('stop', JOB, '--reason', 'the proof');
    await this.#until(({ state }) => state === 'stopped');
    say(`stopped at ${Math.round(100 * stopAt)}%`);
    await this.#jobs('set', JOB, '--rate', String(jobRate));
    await this.#jobs('resume', JOB, '--detach');
    const done = await this.#until(({ state }) => state === 'done');
    const compared = await compareReport(this.#cloud, this.#processes, this.#folder, rows);
    const calls = this.#cloud.api.stats().calls - this.#callsBefore;
    return {
      ...compared,
      mismatches: [...planFaults(plan, rows), ...compared.mismatches],
      kills,
      sentAfterPause,
      perSecondSlowed: Math.round((slowCalls / slowMs) * 1_000),
      maybeTwice: done.maybeTwice,
      extraCalls: calls - (plan.toChange ?? 0),
      seconds: Math.round((performance.now() - startedAt) / 100) / 10,
      peakMemory: this.#processes.peakMemory,
    };
  }

  #startSender(): void {
    const sender = this.#processes.start('jobs', 'send');
    this.#senders.add(sender);
    sender.process.once('exit', () => this.#senders.delete(sender));
  }

  /** Kills the process that took the job last. */
  async #killHolder(): Promise<void> {
    for (;;) {
      const holder = [...this.#senders].find(({ output }) => output.stdout.includes('"job.taken"'));
      if (holder !== undefined) {
        this.#senders.delete(holder);
        await holder.end();
        return;
      }
      await sleep(100);
    }
  }

  async #jobs(...args: readonly string[]): Promise<void> {
    await this.#processes.run('jobs', ...args);
  }

  #standing(): Promise<Standing> {
    return standingOf({ stateDir: join(this.#folder, 'state'), ledgerUrl: this.#options.ledgerUrl });
  }

  async #until(wanted: (standing: Standing) => boolean): Promise<Standing> {
    for (;;) {
      const standing = await this.#standing();
      if (wanted(standing)) return standing;
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** Resolves when the API was called for this share of the rows. */
  async #called(share: number): Promise<void> {
    const { api } = this.#cloud;
    await api.waitFor(() => api.stats().calls - this.#callsBefore >= this.#options.rows * share);
  }
}
