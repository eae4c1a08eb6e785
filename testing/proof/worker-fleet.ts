/** Worker processes on one queue, observed through their calls. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type SimulatedApi, startSimulatedApi } from '../../src/sandbox/simulated-api/index.ts';
import type { Child } from '../processes/child.ts';
import { steppable } from '../processes/clock.ts';
import { startOta } from '../processes/ota.ts';
import { type Stage, setStage } from '../stages/stage.ts';

const SECOND_MS = 1_000;

/** Worker processes on one queue, each with its own API, so that the caller is known. */
export class WorkerFleet {
  readonly #stage: Stage;
  readonly #apis: SimulatedApi[] = [];
  readonly #calls: number[][] = [];
  readonly #children: Child[] = [];

  private constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** @param updates number of updates: enough for the whole measurement. */
  static async start(updates: number): Promise<WorkerFleet> {
    const fleet = new WorkerFleet(await setStage({ env: { LOG_LEVEL: 'warn' } }));
    await fleet.#stage.sendUpdates(updates);
    return fleet;
  }

  /**
   * Starts a worker, and waits for its first call.
   * @param aheadMs how far its wall clock is ahead.
   * @param script the program, if it is not this checkout's.
   */
  async add(
    env: Readonly<Record<string, string>>,
    { aheadMs = 0, script }: { readonly aheadMs?: number; readonly script?: readonly string[] } = {},
  ): Promise<Child> {
    const api = await startSimulatedApi();
    const calls: number[] = [];
    const first = Promise.withResolvers<void>();
    api.onCall(() => {
      calls.push(performance.now());
      first.resolve();
    });
    this.#apis.push(api);
    this.#calls.push(calls);
    const clock = steppable(aheadMs);
    const environment = this.#stage.environment({
      AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS: api.url,
      CALL_TIMEOUT_MS: '10000',
      // The pace must be the limit, not how long this machine takes to answer.
      MAX_CONCURRENCY: '200',
      LOG_LEVEL: 'warn',
      ...env,
    });
    const child = startOta(['worker'], {
      ...clock,
      env: { ...environment, ...clock.env },
      stderr: 'inherit',
      ...(script !== undefined && { script }),
    });
    this.#children.push(child);
    await Promise.race([first.promise, once(child.process, 'exit')]);
    return child;
  }

  /** Calls of a worker in each of the next `seconds` seconds. */
  async perSecond(worker: number, seconds: number): Promise<number[]> {
    const from = performance.now();
    await sleep(seconds * SECOND_MS);
    const counts = Array.from({ length: seconds }, () => 0);
    for (const at of this.#calls[worker] ?? []) {
      const second = Math.floor((at - from) / SECOND_MS);
      if (counts[second] !== undefined) counts[second]++;
    }
    return counts;
  }

  async end(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.end()));
    await Promise.all(this.#apis.map((api) => api.close()));
    await this.#stage.strike();
  }
}
