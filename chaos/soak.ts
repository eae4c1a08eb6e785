/** `npm run soak`: steady load with random faults, and what remains in the worker. Exit code 1: it grows. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { evenRates } from '../testing/faults/faults.ts';
import { lastHalf, slopePerMinute } from '../testing/plots/slope.ts';
import { type LineChart, lineCharts, type Point } from '../testing/plots/svg.ts';
import { takeSample } from '../testing/processes/inspector.ts';
import { seeded } from '../testing/random.ts';
import { noFaults, Stage } from './harness/stage.ts';
import { Fleet } from './harness/workers.ts';

const help = `Usage: npm run soak -- [options]

  --minutes N   how long (default 20); below 10 nothing is judged
  --rate N      updates per second (default 100)
  --seed N      of the faults (default 1)
  --out FILE    the plot, as SVG (default node_modules/.cache/soak.svg)
`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '20' },
    rate: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string', default: 'node_modules/.cache/soak.svg' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(help);
  process.exit();
}

const MB = 1_048_576;
const SAMPLE_EVERY_S = 10;
const CUT_EVERY_S = 60;
/** All tasks are used within minutes, so that data kept per task has reached its full size when measuring begins. */
const TASKS = 10_000;
const MAX_HEAP_MB_PER_MINUTE = 0.1;
/** Sockets and timers come and go with the faults; a leak raises their minimum. */
const MAX_MORE_HANDLES = 10;

const minutes = Number(values.minutes);
const rate = Number(values.rate);
const random = seeded(Number(values.seed));
const stage = await Stage.set({
  random,
  fifo: false,
  redis: false,
  record: false,
  api: { latency: { minMs: 5, maxMs: 50 } },
});
const fleet = new Fleet({
  credentials: (name) => stage.credentials(name),
  env: stage.env({
    RATE_LIMIT: '500',
    VISIBILITY_TIMEOUT_SECONDS: '10',
    LOG_LEVEL: 'warn',
    MAX_DELIVERIES: '50',
  }),
  nodeOptions: ['--inspect=127.0.0.1:0'],
});
const heap: Point[] = [];
const rss: Point[] = [];
const resources: Point[] = [];
try {
  const worker = fleet.start();
  while (worker.inspector === undefined) await sleep(50);
  stage.inject({ ...noFaults, sqs: evenRates(0.03), api: evenRates(0.05) });
  const startedAt = performance.now();
  const seconds = (): number => (performance.now() - startedAt) / 1_000;
  let sent = 0;
  let nextSample = SAMPLE_EVERY_S;
  let nextCut = CUT_EVERY_S;
  let last: Readonly<Record<string, number>> = {};
  while (seconds() < minutes * 60 && !worker.child.ended) {
    await sleep(100);
    const due = Array.from({ length: Math.max(0, Math.floor(seconds() * rate) - sent) }, () => {
      const Identifier = `task${Math.floor(random() * TASKS)}`;
      const id = String(sent++);
      return { id, body: JSON.stringify({ Identifier, Description: `soak ${id}` }) };
    });
    await stage.send(due);
    if (seconds() > nextCut) {
      nextCut += CUT_EVERY_S;
      const proxy = random() < 0.5 ? stage.apiProxy : stage.sqsProxy;
      await proxy.cut(500 + random() * 2_000);
    }
    if (seconds() < nextSample) continue;
    nextSample += SAMPLE_EVERY_S;
    const sample = await takeSample(worker.inspector);
    const at = seconds();
    last = sample.resources;
    heap.push({ at, value: sample.heapUsed / MB });
    rss.push({ at, value: sample.rss / MB });
    resources.push({ at, value: Object.values(last).reduce((sum, n) => sum + n, 0) });
    const { applied } = stage.api.stats();
    process.stderr.write(
      `${at.toFixed(0)} s: heap ${heap.at(-1)?.value.toFixed(2)} MB, RSS ${rss.at(-1)?.value.toFixed(0)} MB, ${JSON.stringify(last)}, ${applied} applied, ${(await stage.left()).all} queued\n`,
    );
  }
} finally {
  await Promise.all(fleet.running.map((worker) => fleet.kill(worker)));
  const out = resolve(values.out);
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(
    out,
    lineCharts([
      chart('Heap after a collection', 'MB', heap),
      chart('RSS', 'MB', rss),
      chart('Handles, timers and sockets', 'count', resources),
    ]),
  );
}
function chart(title: string, unit: string, points: readonly Point[]): LineChart {
  const middle = (points.at(-1)?.at ?? 0) / 2;
  return {
    title,
    unit,
    lines: [{ name: title, points }],
    marks: [{ at: middle, label: 'the last half' }],
  };
}

const heapSlope = slopePerMinute(lastHalf(heap));
const lastHandles = lastHalf(resources).map(({ value }) => value);
const middle = Math.ceil(lastHandles.length / 2);
const fewest = (some: readonly number[]): number => Math.min(...some);
const moreHandles = fewest(lastHandles.slice(middle)) - fewest(lastHandles.slice(0, middle));
process.stdout.write(
  `${minutes} minutes at ${rate}/s, over the last half: heap ${heapSlope.toFixed(3)} MB/min (at most ${MAX_HEAP_MB_PER_MINUTE}), RSS ${slopePerMinute(lastHalf(rss)).toFixed(3)} MB/min, at least ${moreHandles} handles more (at most ${MAX_MORE_HANDLES}); ${stage.api.stats().applied} applied; plot in ${values.out}\n`,
);
for (const line of fleet.unexpected) process.stdout.write(`  ! ${line}\n`);
const grows = heapSlope > MAX_HEAP_MB_PER_MINUTE || moreHandles > MAX_MORE_HANDLES;
process.exitCode = fleet.unexpected.length > 0 || (minutes >= 10 && grows) ? 1 : 0;
await stage.strike();
process.stdout.write('', () => process.exit());
