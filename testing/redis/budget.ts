/**
 * Workers that share a budget on Redis, in this process or in a separate one: run as a program, this file is such
 * a worker. Also counts what each was granted.
 */
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { BudgetLink } from '../../src/ota/rate/budget-link.ts';
import type { RateLimiter } from '../../src/ota/rate/limiter.ts';
import { RedisRateLimiter } from '../../src/ota/rate/limiter-redis.ts';
import { steppable } from '../processes/clock.ts';

/** The grants of a limiter with permanent demand, until it gives none. */
async function* grantsOf(limiter: RateLimiter): AsyncGenerator<number> {
  for (;;) {
    const permits = await limiter.grant(Number.POSITIVE_INFINITY);
    if (permits === 0) return;
    yield permits;
  }
}

/** How many permits were granted, and to whom. */
export class GrantTally {
  readonly #taken = new Map<string, number>();
  readonly #watchers = new Set<() => void>();

  /** Permits so far. */
  get total(): number {
    return [...this.#taken.values()].reduce((sum, permits) => sum + permits, 0);
  }

  /** Permits of one taker so far. */
  of(taker: string): number {
    return this.#taken.get(taker) ?? 0;
  }

  add(taker: string, permits: number): void {
    this.#taken.set(taker, this.of(taker) + permits);
    for (const watcher of this.#watchers) watcher();
  }

  /** Takes grants of a limiter until it gives none. */
  async takeAll(taker: string, limiter: RateLimiter): Promise<void> {
    for await (const permits of grantsOf(limiter)) this.add(taker, permits);
  }

  /** Waits for `permits` more permits. */
  async next(permits: number): Promise<void> {
    const until = this.total + permits;
    await this.#until(() => this.total >= until);
  }

  /** Waits until each of these has taken `permits` more permits. */
  async each(takers: readonly string[], permits: number): Promise<void> {
    const until = takers.map((taker) => ({ taker, permits: this.of(taker) + permits }));
    await this.#until(() => until.every(({ taker, permits }) => this.of(taker) >= permits));
  }

  async #until(predicate: () => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      const watcher = (): void => {
        if (!predicate()) return;
        this.#watchers.delete(watcher);
        resolve();
      };
      this.#watchers.add(watcher);
    });
  }
}

/** What a worker process reports: whether its budget is shared, or how many permits it was granted. */
export type WorkerReport = { readonly shared: boolean } | { readonly permits: number };

export interface BudgetProcess {
  readonly exited: Promise<number | null>;
  /** Ends it as a crash would. */
  kill(): void;
  /** Closes its limiter; it must then end by itself. */
  close(): void;
}

/**
 * Starts a process that takes every grant it can get.
 * @param aheadMs how far its wall clock is ahead of the machine's.
 */
export function startBudgetProcess(
  url: string,
  ceiling: number,
  onReport: (report: WorkerReport) => void,
  aheadMs = 0,
): BudgetProcess {
  const { nodeOptions, env } = steppable(aheadMs);
  const child = fork(fileURLToPath(import.meta.url), [url, String(ceiling)], {
    execArgv: [...nodeOptions],
    env: { ...process.env, ...env },
  });
  child.on('message', (message) => onReport(message as WorkerReport));
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  return {
    exited,
    kill: () => {
      child.kill('SIGKILL');
    },
    close: () => {
      child.send('close');
    },
  };
}

if (import.meta.main) {
  const [, , url = '', ceiling = ''] = process.argv;
  const report = (message: WorkerReport): void => {
    if (process.connected) process.send?.(message);
  };
  const now = (): number => performance.now();
  const limiter = new RedisRateLimiter({
    link: new BudgetLink({
      url,
      workerId: randomUUID(),
      byFleet: true,
      now,
      onShared: (shared) => report({ shared }),
    }),
    ceiling: Number(ceiling),
    now,
  });
  process.once('message', async () => {
    await limiter.close();
    // The channel to the parent is a handle, too: any handle that remains would be the limiter's.
    process.disconnect?.();
  });
  for await (const permits of grantsOf(limiter)) report({ permits });
}
