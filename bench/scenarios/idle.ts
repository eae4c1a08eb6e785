/** Nothing to do: receives per 20 s, and the CPU and memory that waiting takes. */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMs, rssMb } from '../../testing/processes/proc.ts';
import { bundleIn, type Contender, otaUpdater, peers, startContender } from '../harness/contenders.ts';
import { percent, type Scenario } from '../harness/result.ts';
import type { Stage } from '../harness/stage.ts';

interface Idled {
  readonly name: string;
  readonly receivesPer20s: number;
  readonly cpuShare: number;
  readonly rssMb: number;
}

/** For a process to start and its first poll to be on its way. */
const SETTLE_MS = 5_000;
/** For a worker to drain, then it is killed. */
const END_WITHIN_MS = 10_000;

export const idle: Scenario = async ({ stage, quick, say }) => {
  const seconds = quick ? 20 : 40;
  // The worker as it runs in production: with health, metrics and its summary every 10 s.
  const env = { HTTP_PORT: '0', LOG_LEVEL: 'info' };
  // The bundle is what users run.
  const built = existsSync(bundleIn()) ? [otaUpdater(env, 'ota-updater, bundle', bundleIn())] : [];
  const contenders = [...built, otaUpdater(env), ...peers()];
  const idled: Idled[] = [];
  for (const contender of contenders) {
    const result = await idleFor(stage, contender, seconds);
    idled.push(result);
    say(
      `${result.name}: ${result.receivesPer20s.toFixed(1)} receives per 20 s, ${percent(result.cpuShare, 2)} of a core, ` +
        `${result.rssMb.toFixed(0)} MB`,
    );
  }
  const ota = idled[0] ?? { receivesPer20s: Number.NaN, cpuShare: Number.NaN, rssMb: Number.NaN };
  return {
    about: `An empty queue for ${seconds} s, after ${SETTLE_MS / 1_000} s to start.`,
    tables: [
      {
        columns: ['contender', 'receives per 20 s', 'CPU, of a core', 'RSS MB'],
        rows: idled.map((each) => [
          each.name,
          each.receivesPer20s.toFixed(1),
          percent(each.cpuShare, 2),
          each.rssMb.toFixed(0),
        ]),
      },
    ],
    targets: [
      {
        claim: 'one receive per 20 s',
        seen: ota.receivesPer20s.toFixed(1),
        met: ota.receivesPer20s <= 1.01,
      },
      { claim: 'CPU at most 0.3% of a core', seen: percent(ota.cpuShare, 2), met: ota.cpuShare <= 0.003 },
      { claim: 'RSS at most 100 MB', seen: `${ota.rssMb.toFixed(0)} MB`, met: ota.rssMb <= 100 },
    ],
    figures: idled,
  };
};

async function idleFor(stage: Stage, contender: Contender, seconds: number): Promise<Idled> {
  const queueUrl = await stage.createQueue();
  const child = startContender(contender, stage.env(queueUrl));
  try {
    await sleep(SETTLE_MS);
    const { pid } = child;
    const before = await stage.sqsCounts();
    const cpuBefore = cpuMs(pid);
    await sleep(seconds * 1_000);
    const { byAction } = await stage.sqsCounts();
    const receives = (byAction.ReceiveMessage ?? 0) - (before.byAction.ReceiveMessage ?? 0);
    return {
      name: contender.name,
      receivesPer20s: (receives * 20) / seconds,
      cpuShare: (cpuMs(pid) - cpuBefore) / (seconds * 1_000),
      rssMb: rssMb(pid),
    };
  } finally {
    await child.end('SIGTERM', END_WITHIN_MS);
    await stage.deleteQueue(queueUrl);
  }
}
