/** Makes scheduled events happen, to the stage and to the processes on it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Happening, SteerCommand } from './schedule.ts';
import type { Stage } from './stage.ts';
import type { Fleet, WorkerProcess } from './workers.ts';

export interface HappeningsOptions {
  /** In order. */
  readonly schedule: readonly Happening[];
  readonly stage: Stage;
  readonly fleet: Fleet;
  /** One per process: starts it, also again after its end. */
  readonly starts: readonly (() => WorkerProcess)[];
  /** Types a command, and resolves when the job continues after it, `ms` later at the earliest. */
  readonly steer?: (command: SteerCommand, ms: number) => Promise<void>;
  readonly say: (line: string) => void;
}

export class Happenings {
  readonly #options: HappeningsOptions;
  readonly #slots: WorkerProcess[];
  readonly #under: Promise<void>[] = [];
  #next = 0;
  #server = Promise.resolve();

  /** Starts the processes. */
  constructor(options: HappeningsOptions) {
    this.#options = options;
    this.#slots = options.starts.map((start) => start());
  }

  /** Begins everything that is due. @param done the share of the work that is done. */
  advance(done: number): void {
    const { schedule, say } = this.#options;
    for (let due = schedule[this.#next]; due !== undefined && due.at <= done; due = schedule[this.#next]) {
      this.#next++;
      say(`${(done * 100).toFixed(0)}%: ${this.#describe(due)}`);
      this.#under.push(this.#happen(due));
    }
  }

  /** Resolves when everything that was begun is over. */
  async over(): Promise<void> {
    await Promise.all(this.#under);
  }

  async #happen(happening: Happening): Promise<void> {
    const { stage, fleet, starts, steer } = this.#options;
    switch (happening.what) {
      case 'cut':
        return await stage.cut(happening.of, happening.ms);
      case 'steer':
        return await steer?.(happening.command, happening.ms);
      case 'ledger':
        this.#server = this.#server.then(() => this.#endServer(happening));
        return await this.#server;
      default:
    }
    const worker = this.#slots[happening.worker];
    const start = starts[happening.worker];
    if (worker === undefined || start === undefined) return;
    switch (happening.what) {
      case 'clock':
        return await fleet.stepClock(worker, happening.byMs);
      case 'descriptors':
        return await fleet.starve(worker, happening.ms);
      case 'freeze':
        return await fleet.freeze(worker, happening.ms);
      case 'kill':
      case 'stop':
        await (happening.what === 'kill' ? fleet.kill(worker) : fleet.stop(worker));
        await sleep(happening.awayMs);
        this.#slots[happening.worker] = start();
    }
  }

  async #endServer({ how, ms }: Extract<Happening, { what: 'ledger' }>): Promise<void> {
    const { postgres } = this.#options.stage;
    await (how === 'kill' ? postgres?.kill() : postgres?.stop());
    await sleep(ms);
    await postgres?.start();
  }

  #describe(happening: Happening): string {
    if (happening.what === 'cut') return `cut ${happening.of} for ${seconds(happening.ms)}`;
    if (happening.what === 'steer') return `jobs ${happening.command}`;
    if (happening.what === 'ledger')
      return `the ledger's server ${happening.how === 'kill' ? 'is killed' : 'is stopped'} for ${seconds(happening.ms)}`;
    const name = this.#slots[happening.worker]?.name ?? '';
    switch (happening.what) {
      case 'kill':
        return `SIGKILL to ${name}`;
      case 'stop':
        return `SIGTERM to ${name}`;
      case 'clock':
        return `the clock of ${name} jumps by ${seconds(happening.byMs)}`;
      case 'descriptors':
        return `no file descriptors for ${name}, for ${seconds(happening.ms)}`;
      case 'freeze':
        return `SIGSTOP to ${name}, for ${seconds(happening.ms)}`;
    }
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
