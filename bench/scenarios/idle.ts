/** Nothing to do: receives per 20 s, and the CPU and memory of waiting, for processes and for the worker's container. */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMs, rssMb } from '../../testing/processes/proc.ts';
import { findRedis, startRedis } from '../../testing/redis/server.ts';
import { startCollector } from '../harness/collector.ts';
import { type ContainerFigures, imageAway, measureContainer } from '../harness/container.ts';
import { bundleIn, type Contender, otaUpdater, peers, startContender } from '../harness/contenders.ts';
import { engineAway } from '../harness/engine.ts';
import { percent, type Scenario, type ScenarioContext, type Table, type Target } from '../harness/result.ts';
import type { Stage } from '../harness/stage.ts';

interface Idled {
  readonly name: string;
  readonly receivesPer20s: number;
  readonly cpuShare: number;
  readonly rssMb: number;
}

/** Time for a process to start and begin its first poll. */
const SETTLE_MS = 5_000;
/** Time for a worker to drain before it is killed. */
const END_WITHIN_MS = 10_000;

// The worker as in production: with health, metrics and its summary every 10 s.
const env = { HTTP_PORT: '0', LOG_LEVEL: 'info' };
const PLAIN = 'ota-updater, bundle';
const FULL = 'ota-updater, bundle, with Redis and traces';

export const idle: Scenario = async (context) => {
  const { stage, quick, say } = context;
  const seconds = quick ? 20 : 40;
  // Users run the bundle.
  const built = existsSync(bundleIn()) ? [otaUpdater(env, PLAIN, bundleIn())] : [];
  const idled: Idled[] = [];
  const skipped: string[] = [];
  const measure = async (contender: Contender): Promise<void> => {
    const result = await idleFor(stage, contender, seconds);
    idled.push(result);
    say(
      `${result.name}: ${result.receivesPer20s.toFixed(1)} receives per 20 s, ${percent(result.cpuShare, 2)} of a core, ` +
        `${result.rssMb.toFixed(0)} MB`,
    );
  };
  const skip = (what: string, why: string): void => {
    skipped.push(`${what}: ${why}`);
    say(`SKIPPED: ${what}: ${why}`);
  };
  for (const contender of built) await measure(contender);
  if (built.length === 0) skip(PLAIN, '`npm run build` makes it');
  else if (findRedis() === undefined) skip(FULL, 'neither redis-server nor valkey-server is here');
  else await withBoth((more) => measure(otaUpdater({ ...env, ...more }, FULL, bundleIn())));
  for (const contender of [otaUpdater(env), ...peers()]) await measure(contender);
  const away = engineAway() ?? (await imageAway());
  if (away !== undefined) skip('the container', away);
  const container = away === undefined ? await containerOf(context) : undefined;
  return {
    about: [
      `An empty queue for ${seconds} s, after ${SETTLE_MS / 1_000} s to start.`,
      ...skipped.map((what) => `Skipped: ${what}.`),
    ].join(' '),
    tables: [tableOf(idled), ...(container === undefined ? [] : [containerTable(container)])],
    targets: [...targetsOf(idled), ...(container === undefined ? [] : [containerTarget(container)])],
    figures: { idled, container },
  };
};

/** With a Redis and a collector of spans, both empty. */
async function withBoth(use: (env: Readonly<Record<string, string>>) => Promise<void>): Promise<void> {
  const redis = await startRedis();
  const collector = await startCollector();
  try {
    await use({ REDIS_URL: redis.url, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  } finally {
    collector.close();
    await redis.kill();
  }
}

function tableOf(idled: readonly Idled[]): Table {
  return {
    columns: ['contender', 'receives per 20 s', 'CPU, of a core', 'RSS MB'],
    rows: idled.map((each) => [
      each.name,
      each.receivesPer20s.toFixed(1),
      percent(each.cpuShare, 2),
      each.rssMb.toFixed(0),
    ]),
  };
}

function targetsOf(idled: readonly Idled[]): Target[] {
  const at = (name: string): Idled =>
    idled.find((each) => each.name === name) ?? {
      name,
      receivesPer20s: Number.NaN,
      cpuShare: Number.NaN,
      rssMb: Number.NaN,
    };
  const plain = at(PLAIN);
  const full = at(FULL);
  return [
    {
      claim: 'one receive per 20 s',
      seen: plain.receivesPer20s.toFixed(1),
      met: plain.receivesPer20s <= 1.01,
    },
    {
      claim: 'CPU at most 0.3% of a core',
      seen: percent(plain.cpuShare, 2),
      met: plain.cpuShare <= 0.003,
    },
    { claim: 'RSS at most 100 MB', seen: `${plain.rssMb.toFixed(0)} MB`, met: plain.rssMb <= 100 },
    {
      claim: 'with Redis and traces: RSS at most 130 MB',
      seen: `${full.rssMb.toFixed(0)} MB`,
      met: full.rssMb <= 130,
    },
  ];
}

async function containerOf({ stage, quick, say }: ScenarioContext): Promise<ContainerFigures> {
  const figures = await measureContainer(stage, quick ? { starts: 1, checks: 2 } : { starts: 5, checks: 3 });
  say(`the container: ${percent(figures.cpuShare, 2)} of a core over ${figures.seconds.toFixed(0)} s`);
  return figures;
}

function containerTable(of: ContainerFigures): Table {
  return {
    columns: ['container', 'seen'],
    rows: [
      [
        `CPU, of a core, over ${of.seconds.toFixed(0)} s with ${of.checks} health checks`,
        percent(of.cpuShare, 2),
      ],
      ['memory, as `docker stats` counts it', `${of.memoryMb.toFixed(0)} MB`],
      ['`docker run` to "worker running"', `${of.startMs.toFixed(0)} ms`],
      ['image', `${of.imageMb.toFixed(0)} MB (${of.image})`],
      ['of that the base image', of.baseMb === undefined ? 'not at hand' : `${of.baseMb.toFixed(0)} MB`],
    ],
  };
}

function containerTarget({ cpuShare }: ContainerFigures): Target {
  return {
    claim: 'the container with its health check: CPU at most 0.5% of a core',
    seen: percent(cpuShare, 2),
    met: cpuShare <= 0.005,
  };
}

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
