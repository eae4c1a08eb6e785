/** One contender working off one backlog, measured from outside. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { SimulatedApiSettingsInput } from '../../src/sandbox/simulated-api/index.ts';
import type { Child } from '../../testing/processes/child.ts';
import { cpuMs, peakRssMb } from '../../testing/processes/proc.ts';
import { type Contender, startContender } from './contenders.ts';
import { consumingRequests, type Stage } from './stage.ts';

export interface Backlog {
  /** Updates before measuring begins, in the same backlog. */
  readonly warmUp: number;
  readonly updates: number;
  readonly api?: SimulatedApiSettingsInput;
  /** Gives up after this time. */
  readonly maxSeconds: number;
}

export interface Worked {
  /** Updates accepted per second, excluding warm-up and the last 2%. */
  readonly perSecond: number;
  readonly cpuMicrosPerUpdate: number;
  readonly sqsRequestsPerUpdate: number;
  readonly peakRssMb: number;
  /** From the start of the process to its first receive. */
  readonly startMs: number;
  readonly startCpuMs: number;
  /** Calls that were not accepted, or that repeated an accepted one. */
  readonly wastedCalls: number;
  readonly complete: boolean;
}

interface Look {
  readonly at: number;
  readonly accepted: number;
  readonly cpuMs: number;
}

const LOOK_EVERY_MS = 50;
/** Time for the last deletes to arrive. */
const SETTLE_MS = 10_000;
/** Time for a worker to drain before it is killed. */
const END_WITHIN_MS = 10_000;

/** Fills a queue, starts the contender on it and measures it. */
export async function workOff(stage: Stage, contender: Contender, backlog: Backlog): Promise<Worked> {
  const total = backlog.warmUp + backlog.updates;
  const queueUrl = await stage.createQueue();
  await stage.fill(queueUrl, total);
  await stage.reset(backlog.api ?? {});
  const startedAt = performance.timeOrigin + performance.now();
  const child = startContender(contender, stage.env(queueUrl));
  try {
    const looks = await watch(stage, child, total, backlog.maxSeconds);
    const complete = looks.at(-1)?.accepted === total;
    const until = performance.now() + SETTLE_MS;
    while (complete && (await stage.left(queueUrl)) > 0 && performance.now() < until) {
      await sleep(LOOK_EVERY_MS);
    }
    const counts = await stage.sqsCounts();
    const { calls, accepted, distinct } = await stage.look();
    const { pid } = child;
    const rssMb = peakRssMb(pid);
    const from = crossing(looks, backlog.warmUp);
    const reached = complete ? total : accepted;
    const to = crossing(looks, Math.floor(reached * 0.98));
    return {
      perSecond: ((to.accepted - from.accepted) * 1_000) / (to.at - from.at),
      cpuMicrosPerUpdate: ((to.cpuMs - from.cpuMs) * 1_000) / (to.accepted - from.accepted),
      sqsRequestsPerUpdate: consumingRequests(counts) / accepted,
      peakRssMb: rssMb,
      startMs: (counts.firstReceiveAt ?? Number.NaN) - startedAt,
      startCpuMs: looks.find((look) => look.accepted > 0)?.cpuMs ?? Number.NaN,
      wastedCalls: calls - distinct,
      complete,
    };
  } finally {
    await child.end(contender.name.startsWith('ota-updater') ? 'SIGTERM' : 'SIGKILL', END_WITHIN_MS);
    await stage.deleteQueue(queueUrl);
  }
}

async function watch(stage: Stage, child: Child, total: number, maxSeconds: number): Promise<Look[]> {
  const { pid } = child;
  const looks: Look[] = [];
  const until = performance.now() + maxSeconds * 1_000;
  while (performance.now() < until) {
    if (child.ended) throw new Error(`the contender ended with ${child.process.exitCode}`);
    const { at, distinct } = await stage.look();
    looks.push({ at, accepted: distinct, cpuMs: cpuMs(pid) });
    if (distinct >= total) break;
    await sleep(LOOK_EVERY_MS);
  }
  return looks;
}

/** When the number of accepted updates passes `count`, between two looks. */
function crossing(looks: readonly Look[], count: number): Look {
  const index = looks.findIndex(({ accepted }) => accepted >= count);
  const after = looks[index] ?? looks.at(-1);
  const before = looks[index - 1] ?? after;
  if (before === undefined || after === undefined) throw new Error('nothing was looked at');
  if (after.accepted === before.accepted) return after;
  const part = (count - before.accepted) / (after.accepted - before.accepted);
  const between = (from: number, to: number): number => from + part * (to - from);
  return { at: between(before.at, after.at), accepted: count, cpuMs: between(before.cpuMs, after.cpuMs) };
}
