/** What the scenarios share: a stage, workers on it, and a wait with a time limit. */
import { setTimeout as sleep } from 'node:timers/promises';
import { seeded } from '../../testing/random.ts';
import { type Account, settleAccount } from '../harness/ledger.ts';
import { Stage, type StageOptions } from '../harness/stage.ts';
import type { SentUpdate } from '../harness/updates.ts';
import { Fleet, type WorkerProcess } from '../harness/workers.ts';
import type { ScenarioOptions, Shown } from './scenario.ts';

export interface ScenarioRunOptions extends ScenarioOptions {
  readonly stage?: Partial<StageOptions>;
  readonly env?: Readonly<Record<string, string>>;
}

export class ScenarioRun {
  readonly random: () => number;
  readonly stage: Stage;
  readonly fleet: Fleet;
  readonly sent: SentUpdate[] = [];
  readonly say: (line: string) => void;
  readonly #broken: string[] = [];

  private constructor(stage: Stage, fleet: Fleet, random: () => number, say: (line: string) => void) {
    this.stage = stage;
    this.fleet = fleet;
    this.random = random;
    this.say = say;
  }

  /** Runs one scenario; its processes end whatever happens. */
  static async start(
    options: ScenarioRunOptions,
    act: (run: ScenarioRun) => Promise<string>,
  ): Promise<Shown> {
    const random = seeded(options.seed);
    const settings = { random, api: {}, fifo: false, redis: false, record: true };
    const stage = await Stage.set({ ...settings, ...options.stage });
    const fleet = new Fleet({
      env: stage.env(options.env),
      credentials: (name) => stage.credentials(name),
      onLine: ({ name }, { event, errorName }) => {
        if (/^(gate|worker|receive|lease)\./.test(String(event)))
          options.say(`  ${name}: ${[event, errorName].filter((text) => text !== undefined).join(' ')}`);
      },
    });
    const run = new ScenarioRun(stage, fleet, random, options.say);
    try {
      const shown = await act(run);
      return { shown, broken: [...run.#broken, ...fleet.unexpected] };
    } finally {
      await Promise.all(fleet.running.map((worker) => fleet.kill(worker)));
      await stage.strike();
    }
  }

  /** Records a broken promise unless `kept`. */
  expect(kept: boolean, promise: string): void {
    if (!kept) this.#broken.push(promise);
  }

  /** Sends `count` valid updates, each for another task; `prefixOf` gives the beginning of its Identifier. */
  async send(count: number, prefixOf: (place: number) => string = () => 'task'): Promise<SentUpdate[]> {
    const updates = Array.from({ length: count }, (_, i): SentUpdate => {
      const place = this.sent.length + i;
      const id = `u${String(place).padStart(6, '0')}`;
      const identifier = `${prefixOf(i)}${place}`;
      const fields = { Description: `scenario ${id}` };
      const body = JSON.stringify({ Identifier: identifier, ...fields, RequestId: id });
      return { id, place, identifier, fields, expectedEnd: 'applied', body };
    });
    await this.stage.send(updates);
    this.sent.push(...updates);
    return updates;
  }

  async start(count = 1): Promise<readonly WorkerProcess[]> {
    const workers = Array.from({ length: count }, () => this.fleet.start());
    for (const worker of workers)
      await this.until(`${worker.name} is up`, () => worker.url !== undefined, 30);
    return workers;
  }

  /** Waits until the condition holds; if it does not in time, gives false and records a broken promise. */
  async until(what: string, holds: () => boolean | Promise<boolean>, seconds: number): Promise<boolean> {
    const end = performance.now() + seconds * 1_000;
    while (!(await holds())) {
      if (performance.now() > end) {
        this.expect(false, `not within ${seconds} s: ${what}`);
        return false;
      }
      await sleep(50);
    }
    return true;
  }

  /** Whether a worker reports that it is ready. */
  async ready({ url }: WorkerProcess): Promise<boolean> {
    if (url === undefined) return false;
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.ok === true;
  }

  /** How every update ended; drains the dead-letter queue. */
  async account(): Promise<Account> {
    const letters = await this.stage.drainLetters();
    const { applied } = this.stage;
    return settleAccount({ sent: this.sent, applied, letters, left: await this.stage.leftBodies() });
  }
}

/** Seconds since a value of `performance.now()`, with one decimal. */
export function secondsSince(moment: number): string {
  return ((performance.now() - moment) / 1_000).toFixed(1);
}
