/**
 * Prom-client's metrics of the event loop, measured without a timer. Prom-client itself uses a timer that fires every 10 ms, which costs
 * 1% of a core in an idle process.
 */
import perfHooks from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

/** Interval for prom-client's own timer, in milliseconds: the longest possible, 24 days. The timer cannot be disabled. */
export const NO_SAMPLES_MS = 2 ** 31 - 1;

/** Prom-client's metric names, and their meaning here; nanoseconds. */
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

/** Replaces prom-client's metrics of the same names. */
export function measureLoopLag(registry: Registry): void {
  const registers = [registry];
  // A Node that does not know this option measures with a timer, as prom-client would.
  const lag = perfHooks.monitorEventLoopDelay({ samplePerIteration: true });
  lag.enable();
  registry.removeSingleMetric('nodejs_eventloop_lag_seconds');
  // Registered before the others: a scrape collects one after the other.
  new Gauge({
    registers,
    name: 'nodejs_eventloop_lag_seconds',
    help: 'How long the event loop took to run a callback that a scrape had scheduled.',
    async collect() {
      // Without samples, report 0 for all, rather than Node's value for the minimum of nothing.
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
