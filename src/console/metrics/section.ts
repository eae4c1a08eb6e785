/** `GET /metrics` of the console, for users who may read: Prometheus sends a viewer's token. */
import { Gauge, Registry } from 'prom-client';
import type { Ledger } from '../../jobs/ledger/ledger.ts';
import { PageError } from '../pages/page-error.ts';
import type { Section } from '../section.ts';
import { activeStates, jobGauges, ledgerGauge, type SeenJob } from './gauges.ts';

type ReadLedger = Pick<Ledger, 'activeJobs' | 'listed'>;

interface MetricsOptions {
  /** Does `work` with the ledger. Throws PageError if it is away. */
  readonly use: <T>(work: (ledger: ReadLedger) => Promise<T>) => Promise<T>;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

export function metricsSection({ use, now }: MetricsOptions): Section {
  const registry = new Registry();
  const registers = [registry];
  const up = new Gauge({ registers, ...ledgerGauge });
  const gauges = jobGauges.map(({ name, help, labelNames = [], read }) => ({
    read,
    gauge: new Gauge({ registers, name, help, labelNames: [...labelNames] }),
  }));
  const silence = new Silence(now);
  const look = async (): Promise<void> => {
    const jobs = await use((ledger) => seeJobs(ledger, silence)).catch((error: unknown) => {
      if (error instanceof PageError) return undefined;
      throw error;
    });
    up.set(Number(jobs !== undefined));
    for (const { gauge, read } of gauges) {
      const values = read(jobs ?? []);
      const known = (value: number): number => (jobs === undefined ? Number.NaN : value);
      if (typeof values === 'number') gauge.set(known(values));
      else for (const [labels, value] of values) gauge.set(labels, known(value));
    }
  };
  return {
    add: ({ app }) => {
      app.get('/metrics', async (_request, reply) => {
        await look();
        return reply
          .header('cache-control', 'no-store')
          .type(registry.contentType)
          .send(await registry.metrics());
      });
    },
  };
}

async function seeJobs(ledger: ReadLedger, silence: Silence): Promise<SeenJob[]> {
  const seen: SeenJob[] = [];
  const active = await ledger.activeJobs();
  for (const job of active) {
    const state = activeStates.find((name) => name === job.plan.state.name);
    if (state === undefined) continue;
    const { counts, leased } = await ledger.listed(job);
    seen.push({ state, leased, counts, silentMs: silence.look(job.key, counts) });
  }
  silence.keep(new Set(active.map(({ key }) => key)));
  return seen;
}

/** Since when each job has had rows in flight without any ending. */
class Silence {
  readonly #now: () => number;
  readonly #jobs = new Map<number, { readonly ended: number; readonly since: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @returns for how long, in milliseconds. */
  look(key: number, { ended, inFlight }: SeenJob['counts']): number {
    const now = this.#now();
    const before = this.#jobs.get(key);
    if (before === undefined || inFlight === 0 || before.ended !== ended) {
      this.#jobs.set(key, { ended, since: now });
      return 0;
    }
    return now - before.since;
  }

  /** Forgets all other jobs. */
  keep(keys: ReadonlySet<number>): void {
    for (const key of this.#jobs.keys()) if (!keys.has(key)) this.#jobs.delete(key);
  }
}
