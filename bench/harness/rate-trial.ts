/** Workers that call an API with a limit for a fixed time; measured at the API. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { SimulatedApiSettingsInput } from '../../src/sandbox/simulated-api/index.ts';
import { type Line, type LineChart, lineCharts } from '../../testing/plots/svg.ts';
import type { Child } from '../../testing/processes/child.ts';
import { type Contender, startContender } from './contenders.ts';
import type { Stage } from './stage.ts';
import type { ApiTimeline } from './timeline.ts';
import { BUCKET_MS, perSecond } from './timeline.ts';

interface Caller {
  readonly contender: Contender;
  /**
   * The letters at the beginning of its Identifiers, by which the API recognizes the caller; each caller has its
   * own queue.
   */
  readonly prefix: string;
  /** Number of messages for it; 0 for a stranger. */
  readonly messages: number;
  readonly atSecond?: number;
}

export interface RateTrial {
  readonly api: SimulatedApiSettingsInput;
  readonly callers: readonly Caller[];
  /** Measured from the first call. */
  readonly seconds: number;
  /** Changes of the API's limit. */
  readonly steps?: readonly { readonly atSecond: number; readonly limitPerSecond: number }[];
}

export interface RateTrialResult {
  readonly timeline: ApiTimeline;
  /** Second of the timeline of the first call: the trial's zero. */
  readonly zero: number;
}

const FIRST_CALL_WITHIN_MS = 15_000;

export async function runRateTrial(stage: Stage, trial: RateTrial): Promise<RateTrialResult> {
  const queues: string[] = [];
  for (const { prefix, messages } of trial.callers) {
    const queueUrl = await stage.createQueue();
    await stage.fill(queueUrl, messages, prefix);
    queues.push(queueUrl);
  }
  await stage.reset(trial.api);
  const children: Child[] = [];
  const timers: NodeJS.Timeout[] = [];
  const at = (second: number, run: () => void): void => {
    if (second === 0) run();
    else timers.push(setTimeout(run, second * 1_000));
  };
  const startAll = (later: boolean): void => {
    for (const [i, { contender, atSecond = 0 }] of trial.callers.entries()) {
      if (atSecond > 0 !== later) continue;
      at(atSecond, () => children.push(startContender(contender, stage.env(queues[i] ?? ''))));
    }
  };
  try {
    startAll(false);
    await firstCall(stage);
    const startedAt = performance.now();
    startAll(true);
    for (const { atSecond, limitPerSecond } of trial.steps ?? []) {
      at(atSecond, () => void stage.configure({ limit: { ratePerSecond: limitPerSecond, burst: 20 } }));
    }
    await sleep(trial.seconds * 1_000 - (performance.now() - startedAt));
    const timeline = await stage.timeline();
    return { timeline, zero: firstBucket(timeline) * (BUCKET_MS / 1_000) };
  } finally {
    for (const timer of timers) clearTimeout(timer);
    await Promise.all(children.map((child) => child.end()));
    for (const queueUrl of queues) await stage.deleteQueue(queueUrl);
  }
}

/** A series per second from `zero`, as a line of a chart. */
export function lineOf(name: string, buckets: readonly number[], zero: number, seconds: number): Line {
  const points = Array.from({ length: Math.floor(seconds) }, (_, second) => ({
    at: second + 0.5,
    value: perSecond(buckets, zero + second, zero + second + 1),
  }));
  return { name, points };
}

/** The allowed rate, from the first second to the last. */
export function limitLine(limit: number, seconds: number): Line {
  return { name: 'limit', points: [0, seconds].map((at) => ({ at, value: limit })), dashed: true };
}

export function callsOverTime(title: string, lines: readonly Line[], marks: LineChart['marks'] = []): string {
  return lineCharts([{ title, unit: 'calls per second', lines, marks }]);
}

async function firstCall(stage: Stage): Promise<void> {
  const until = performance.now() + FIRST_CALL_WITHIN_MS;
  while ((await stage.look()).calls === 0) {
    if (performance.now() > until) throw new Error('no call was made');
    await sleep(20);
  }
}

function firstBucket({ callers }: ApiTimeline): number {
  const firsts = Object.values(callers).flatMap(({ accepted, throttled }) =>
    [accepted, throttled].map((buckets) => buckets.findIndex((count) => count > 0)),
  );
  return Math.min(...firsts.filter((index) => index >= 0));
}
