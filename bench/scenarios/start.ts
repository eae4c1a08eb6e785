/** How soon a process asks for its first message, and what that costs. `npm run build` must have built the bundle. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMs, rssMb } from '../../testing/processes/proc.ts';
import { bundleIn, byHand, type Contender, otaUpdater, startContender } from '../harness/contenders.ts';
import type { Scenario } from '../harness/result.ts';
import { median } from '../harness/rounds.ts';
import type { Stage } from '../harness/stage.ts';

interface Started {
  readonly ms: number;
  readonly cpuMs: number;
  readonly rssMb: number;
}

const LOOK_EVERY_MS = 20;
const GIVE_UP_MS = 60_000;
const END_WITHIN_MS = 10_000;
const MOST = 1.8;

export const start: Scenario = async ({ stage, quick, say }) => {
  if (!existsSync(bundleIn()))
    throw new Error('run `npm run build` first: it is the bundle that is measured');
  const rounds = quick ? 3 : 21;
  const compiled = await mkdtemp(join(tmpdir(), 'ota-updater-compiled-'));
  try {
    const own = (name: string, env: Readonly<Record<string, string>> = {}): Contender =>
      otaUpdater({ HTTP_PORT: '0', LOG_LEVEL: 'info', ...env }, name, bundleIn());
    const cached = { NODE_COMPILE_CACHE: compiled };
    const plain = byHand();
    const contenders = [
      own('ota-updater'),
      plain,
      own("ota-updater, with V8's code kept, as in the image", cached),
      { ...plain, name: "SDK by hand, with V8's code kept", env: { ...plain.env, ...cached } },
    ];
    // The compile cache is written when a process ends by itself.
    for (const contender of contenders.slice(2)) await startOnce(stage, contender);
    const all = new Map<string, Started[]>(contenders.map(({ name }) => [name, []]));
    for (let round = 1; round <= rounds; round++) {
      for (const contender of contenders) {
        const started = await startOnce(stage, contender);
        all.get(contender.name)?.push(started);
        say(`round ${round}, ${contender.name}: ${started.ms.toFixed(0)} ms`);
      }
    }
    const standings = [...all].map(([name, each]) => ({
      name,
      ms: median(each.map(({ ms }) => ms)),
      cpuMs: median(each.map((one) => one.cpuMs)),
      rssMb: median(each.map((one) => one.rssMb)),
    }));
    const target = (claim: string, of: number, to: number) => {
      const ratio = (standings[of]?.ms ?? Number.NaN) / (standings[to]?.ms ?? Number.NaN);
      return { claim, seen: ratio.toFixed(2), met: ratio <= MOST };
    };
    return {
      about: `From the start of the process to its first ReceiveMessage at the server, ${rounds} rounds, an empty queue.`,
      tables: [
        {
          columns: ['contender', 'start to first receive ms', 'CPU until then ms', 'RSS then MB'],
          rows: standings.map((each) => [
            each.name,
            each.ms.toFixed(0),
            each.cpuMs.toFixed(0),
            each.rssMb.toFixed(0),
          ]),
        },
      ],
      targets: [
        target(`plain processes: at most ${MOST} times the SDK by hand`, 0, 1),
        target(`with V8's code kept, both: at most ${MOST} times`, 2, 3),
      ],
      figures: standings,
    };
  } finally {
    await rm(compiled, { recursive: true });
  }
};

async function startOnce(stage: Stage, contender: Contender): Promise<Started> {
  const queueUrl = await stage.createQueue();
  await stage.reset({});
  const startedAt = performance.timeOrigin + performance.now();
  const child = startContender(contender, stage.env(queueUrl));
  try {
    const until = performance.now() + GIVE_UP_MS;
    while (performance.now() < until && !child.ended) {
      const { firstReceiveAt } = await stage.sqsCounts();
      if (firstReceiveAt !== null)
        return { ms: firstReceiveAt - startedAt, cpuMs: cpuMs(child.pid), rssMb: rssMb(child.pid) };
      await sleep(LOOK_EVERY_MS);
    }
    throw new Error(`${contender.name} did not ask for a message`);
  } finally {
    await child.end('SIGTERM', END_WITHIN_MS);
    await stage.deleteQueue(queueUrl);
  }
}
