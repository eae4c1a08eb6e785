/** Does an update cost more, or does memory grow, the longer a worker runs? */

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Child } from '../../testing/processes/child.ts';
import type { Measured } from '../contenders/ota-updater-measured.ts';
import { otaUpdater, startContender } from '../harness/contenders.ts';
import { percent, type Scenario } from '../harness/result.ts';
import { median } from '../harness/rounds.ts';
import type { Stage } from '../harness/stage.ts';

interface Grown {
  readonly updates: number;
  readonly cpuMicrosPerUpdate: number;
  readonly heapMb: number;
}

/** Maximum number of messages in the queue, so that a long run has the same queue as a short one. */
const CHUNK = 5_000;
const MAX_MS = 600_000;
const LOOK_EVERY_MS = 50;
/** A long run between two short ones, and medians: a machine's speed varies by more than the difference in question. */
const ROUNDS = 5;

export const growth: Scenario = async ({ stage, quick, say }) => {
  const warmUp = quick ? 2_000 : 10_000;
  const [less, more] = quick ? [2_000, 10_000] : [10_000, 100_000];
  const rounds = quick ? 1 : ROUNDS;
  const runs = new Map<number, Grown[]>([
    [less, []],
    [more, []],
  ]);
  for (let round = 1; round <= rounds; round++) {
    for (const updates of [less, more, less]) {
      const result = await growTo(stage, warmUp, updates);
      runs.get(updates)?.push(result);
      say(
        `round ${round}, ${updates} updates: ${result.cpuMicrosPerUpdate.toFixed(0)} µs CPU per update, ${result.heapMb.toFixed(1)} MB heap`,
      );
    }
  }
  const grown = [...runs].map(([updates, results]) => ({
    updates,
    cpuMicrosPerUpdate: median(results.map((each) => each.cpuMicrosPerUpdate)),
    heapMb: median(results.map((each) => each.heapMb)),
  }));
  const [short, long] = grown;
  const cpu = (long?.cpuMicrosPerUpdate ?? Number.NaN) / (short?.cpuMicrosPerUpdate ?? Number.NaN);
  const heap = (long?.heapMb ?? Number.NaN) - (short?.heapMb ?? Number.NaN);
  return {
    about: `A worker process each, after ${warmUp} updates of warm-up, medians of ${2 * rounds} short runs and ${rounds} long ones in turn; CPU as the process reports it, heap after a forced collection of all that can be let go of at the end.`,
    tables: [
      {
        columns: ['updates', 'CPU µs/update', 'heap at the end MB'],
        rows: grown.map((each) => [
          String(each.updates),
          each.cpuMicrosPerUpdate.toFixed(0),
          each.heapMb.toFixed(1),
        ]),
      },
    ],
    targets: [
      {
        claim: 'CPU per update flat within 10%',
        seen: percent(cpu - 1),
        met: Math.abs(cpu - 1) <= 0.1,
      },
      { claim: 'heap within 5 MB', seen: `${heap.toFixed(1)} MB`, met: Math.abs(heap) <= 5 },
    ],
    figures: grown,
  };
};

async function growTo(stage: Stage, warmUp: number, updates: number): Promise<Grown> {
  const script = fileURLToPath(new URL('../contenders/ota-updater-measured.ts', import.meta.url));
  const contender = { ...otaUpdater({ RATE_LIMIT: 'unlimited' }), script, args: [] };
  const queueUrl = await stage.createQueue();
  await stage.reset({});
  const child = startContender(contender, stage.env(queueUrl), ['--expose-gc'], true);
  try {
    // One chunk more than is measured: the last messages of a queue come in ones and twos, a quarter of a short run.
    const feed = feeder(stage, queueUrl, warmUp + updates + CHUNK);
    const from = await feed(warmUp);
    // Without a forced collection, which would discard compiled code and make what follows more expensive.
    const before = await measure(child, 'cpu');
    const to = await feed(warmUp + updates);
    const after = await measure(child, 'cpu');
    while ((await stage.left(queueUrl)) > 0) await sleep(LOOK_EVERY_MS);
    const { heapMb } = await measure(child, 'heap');
    return { updates, cpuMicrosPerUpdate: ((after.cpuMs - before.cpuMs) * 1_000) / (to - from), heapMb };
  } finally {
    await child.end();
    await stage.deleteQueue(queueUrl);
  }
}

/**
 * Sends chunk after chunk, so that the queue is never empty during the measurement: an empty receive is another code path.
 * @returns a function that waits until that many are applied, and gives the actual number.
 */
function feeder(stage: Stage, queueUrl: string, total: number): (applied: number) => Promise<number> {
  const until = performance.now() + MAX_MS;
  let sent = 0;
  return async (applied) => {
    for (;;) {
      const { accepted } = await stage.look();
      if (accepted >= applied) return accepted;
      if (performance.now() > until) throw new Error(`not done after ${MAX_MS / 1_000} s`);
      if (sent < total && accepted >= sent - CHUNK / 2) {
        const chunk = Math.min(CHUNK, total - sent);
        await stage.fill(queueUrl, chunk, 'task', sent);
        sent += chunk;
      } else {
        await sleep(LOOK_EVERY_MS);
      }
    }
  };
}

async function measure(child: Child, question: 'cpu' | 'heap'): Promise<Measured> {
  const answered = once(child.process, 'message');
  child.process.send(question);
  const [measured] = (await answered) as [Measured];
  return measured;
}
