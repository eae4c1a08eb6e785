/**
 * Prom-client's metrics of the event loop, measured without a timer. Its own come from one that fires every 10 ms, a hundred times a second in
 * a process that has nothing to do: 1% of a core.
 */
import perfHooks from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

/** For prom-client's own timer, in milliseconds: the most that one can wait, 24 days. It cannot be told to have none. */
export const NO_SAMPLES_MS = 2 ** 31 - 1;

/** Prom-client's names and what they say here; nanoseconds. */
const lags: readonly (readonly [
  name: string,
  help: string,
  read: (lag: perfHooks.ELDHistogram) => number,
])[] = [
  ['min', 'The shortest', ({ min }) => min],
  ['max', 'The longest', ({ max }) => max],
  ['mean', 'The mean', ({ mean }) => mean],
  ['stddev', 'The standard deviation of the', ({ stddev }) => stddev],
  ['p50', 'The 50th percentile of the', (lag) => lag.percentile(50)],
  ['p90', 'The 90th percentile of the', (lag) => lag.percentile(90)],
  ['p99', 'The 99th percentile of the', (lag) => lag.percentile(99)],
];

/** Puts them in the place of those that are there. */
export function measureLoopLag(registry: Registry): void {
  const registers = [registry];
  // A Node that does not know the option measures by a timer, as prom-client would.
  const lag = perfHooks.monitorEventLoopDelay({ samplePerIteration: true });
  lag.enable();
  registry.removeSingleMetric('nodejs_eventloop_lag_seconds');
  // Before the others: a scrape asks one after the other.
  new Gauge({
    registers,
    name: 'nodejs_eventloop_lag_seconds',
    help: 'How long the event loop took to come to what a scrape had asked of it.',
    async collect() {
      // Without a sample all of them are 0, and not what Node gives for a minimum of nothing.
      for (const { gauge, read } of gauges) gauge.set(lag.count === 0 ? 0 : read(lag) / 1e9);
      lag.reset();
      const askedAt = perfHooks.performance.now();
      await new Promise((resolve) => setImmediate(resolve));
      this.set((perfHooks.performance.now() - askedAt) / 1_000);
    },
  });
  const gauges = lags.map(([name, help, read]) => {
    const fullName = `nodejs_eventloop_lag_${name}_seconds`;
    registry.removeSingleMetric(fullName);
    const gauge = new Gauge({
      registers,
      name: fullName,
      help: `${help} time that a turn of the event loop took since the last scrape.`,
    });
    return { gauge, read };
  });
}
