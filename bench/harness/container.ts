/** The worker in its container, started by `docker run`: how soon it runs, and what it takes when idle. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from '../../testing/processes/child.ts';
import { checksOf, imageOf, removeContainer, usageOf } from './engine.ts';
import { median } from './rounds.ts';
import type { Stage } from './stage.ts';

export interface ContainerFigures {
  readonly image: string;
  readonly imageMb: number;
  /** The base image's part of that; undefined if the base image is not available. */
  readonly baseMb: number | undefined;
  /** From `docker run` to the worker's log line that it runs. */
  readonly startMs: number;
  /** Number of health checks in the measured time, which lasts from the end of one check to the end of another. */
  readonly checks: number;
  readonly seconds: number;
  /** Share of a core: the worker, its init and the health checks. */
  readonly cpuShare: number;
  readonly memoryMb: number;
}

const IMAGE = 'ota-updater';
const BASE = 'node:26-bookworm-slim';
const RUNS_WITHIN_MS = 60_000;
/** Checks during the start period are more frequent. */
const SETTLE_MS = 20_000;
const LOOK_EVERY_MS = 250;
const CHECK_WITHIN_MS = 60_000;

/** Why no container can be measured; undefined if one can be. */
export async function imageAway(): Promise<string | undefined> {
  try {
    await imageOf(IMAGE);
    return undefined;
  } catch {
    return `no image: \`docker build -t ${IMAGE} .\` makes it`;
  }
}

/** @param checks at least two. */
export async function measureContainer(
  stage: Stage,
  { starts, checks }: { readonly starts: number; readonly checks: number },
): Promise<ContainerFigures> {
  const queueUrl = await stage.createQueue();
  try {
    const times: number[] = [];
    for (let i = 1; i < starts; i++)
      times.push(await withContainer(stage.env(queueUrl), async ({ startMs }) => startMs));
    const { id, mb } = await imageOf(IMAGE);
    return await withContainer(stage.env(queueUrl), async ({ name, startMs }) => ({
      image: id,
      imageMb: mb,
      baseMb: await imageOf(BASE).then(
        (base) => base.mb,
        () => undefined,
      ),
      startMs: median([...times, startMs]),
      ...(await idleIn(name, checks)),
    }));
  } finally {
    await stage.deleteQueue(queueUrl);
  }
}

interface Running {
  readonly name: string;
  readonly startMs: number;
}

async function withContainer<T>(
  env: Readonly<Record<string, string>>,
  use: (running: Running) => Promise<T>,
): Promise<T> {
  const name = `ota-updater-bench-${process.pid}`;
  const { STATE_DIR: _, ...settings } = env;
  const startedAt = performance.now();
  const child = Child.start(
    'docker',
    [
      ...['run', '--rm', '--init', '--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
      // The stage listens on this machine's own addresses.
      ...['--network', 'host', '--tmpfs', '/var/lib/ota-updater:uid=1000', '--name', name],
      ...Object.entries({ ...settings, HTTP_PORT: '0' }).flatMap(([key, value]) => [
        '--env',
        `${key}=${value}`,
      ]),
      IMAGE,
    ],
    { env: { PATH: process.env.PATH, HOME: process.env.HOME }, stderr: 'inherit' },
  );
  try {
    await child.find((line) => (line.includes('"worker.running"') ? true : undefined), RUNS_WITHIN_MS);
    return await use({ name, startMs: performance.now() - startedAt });
  } finally {
    await removeContainer(name);
    await child.end();
  }
}

/** Measures between the ends of two checks, so that each second contains its part of a check. */
async function idleIn(
  name: string,
  checks: number,
): Promise<Pick<ContainerFigures, 'checks' | 'seconds' | 'cpuShare' | 'memoryMb'>> {
  await sleep(SETTLE_MS);
  let last = await nextCheck(name, (await checksOf(name)).last);
  const from = await usageOf(name);
  for (let i = 0; i < checks; i++) last = await nextCheck(name, last);
  const to = await usageOf(name);
  const ms = to.at - from.at;
  return { checks, seconds: ms / 1_000, cpuShare: (to.cpuMs - from.cpuMs) / ms, memoryMb: to.memoryMb };
}

/** @returns when the first check after `last` ended. @throws Error if it failed or does not come. */
async function nextCheck(name: string, last: string | undefined): Promise<string> {
  for (
    const until = performance.now() + CHECK_WITHIN_MS;
    performance.now() < until;
    await sleep(LOOK_EVERY_MS)
  ) {
    const now = await checksOf(name);
    if (!now.allPassed) throw new Error('a health check failed');
    if (now.last !== undefined && now.last !== last) return now.last;
  }
  throw new Error('no health check came');
}
