/** Does an update cost more, or does memory stay behind, the longer a worker runs? */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Measured } from '../contenders/ota-updater-measured.ts';
import { end } from '../harness/children.ts';
import { otaUpdater, startContender } from '../harness/contenders.ts';
import { percent, type Scenario } from '../harness/result.ts';
import type { Stage } from '../harness/stage.ts';

interface Grown {
  readonly updates: number;
  readonly cpuMicrosPerUpdate: number;
  readonly heapMb: number;
}

/** Messages in the queue at most: so that a long run meets the same queue as a short one. */
const CHUNK = 5_000;
const MAX_MS = 600_000;

export const growth: Scenario = async ({ stage, quick, say }) => {
  const warmUp = quick ? 2_000 : 10_000;
  const sizes = quick ? [2_000, 10_000] : [10_000, 100_000];
  const grown: Grown[] = [];
  for (const updates of sizes) {
    const result = await growTo(stage, warmUp, updates);
    grown.push(result);
    say(
      `${updates} updates: ${result.cpuMicrosPerUpdate.toFixed(0)} µs CPU per update, ${result.heapMb.toFixed(1)} MB heap`,
    );
  }
  const [short, long] = grown;
  const cpu = (long?.cpuMicrosPerUpdate ?? Number.NaN) / (short?.cpuMicrosPerUpdate ?? Number.NaN);
  const heap = (long?.heapMb ?? Number.NaN) - (short?.heapMb ?? Number.NaN);
  return {
    about: `One worker process each, after ${warmUp} updates of warm-up; CPU as the process reports it, heap after a forced collection at the end.`,
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
  const child = startContender(contender, stage.env(queueUrl), { nodeArgs: ['--expose-gc'], ipc: true });
  try {
    await feed(stage, queueUrl, 0, warmUp);
    // Without a collection: a forced one throws away compiled code, and what follows would pay for it.
    const before = await measure(child, 'cpu');
    await feed(stage, queueUrl, warmUp, updates);
    const after = await measure(child, 'heap');
    return {
      updates,
      cpuMicrosPerUpdate: ((after.cpuMs - before.cpuMs) * 1_000) / updates,
      heapMb: after.heapMb,
    };
  } finally {
    await end(child, 'SIGKILL');
    await stage.deleteQueue(queueUrl);
  }
}

/** Sends chunk after chunk, and waits until all of it is applied and deleted. */
async function feed(stage: Stage, queueUrl: string, first: number, count: number): Promise<void> {
  const until = performance.now() + MAX_MS;
  const reached = async (accepted: number): Promise<void> => {
    while ((await stage.look()).accepted < accepted) {
      if (performance.now() > until) throw new Error(`not done after ${MAX_MS / 1_000} s`);
      await sleep(50);
    }
  };
  for (let sent = 0; sent < count; sent += CHUNK) {
    const chunk = Math.min(CHUNK, count - sent);
    await stage.fill(queueUrl, chunk, 'task', first + sent);
    await reached(first + sent + chunk / 2);
  }
  await reached(first + count);
  while ((await stage.left(queueUrl)) > 0) await sleep(50);
}

async function measure(child: ChildProcess, question: 'cpu' | 'heap'): Promise<Measured> {
  const answered = once(child, 'message');
  child.send(question);
  const [measured] = (await answered) as [Measured];
  return measured;
}
