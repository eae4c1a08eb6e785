/**
 * Proves that a worker's memory is bounded for any bodies: large ones are sent as they drain to a worker with the memory of a
 * container, and every one is accounted for.
 */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFauxqs } from 'fauxqs';
import type { Message } from '../../src/message/message.ts';
import { createSqsClient } from '../../src/queue/client.ts';
import { Queue } from '../../src/queue/queue.ts';
import { startSimulatedApi } from '../../src/sandbox/simulated-api/index.ts';
import { MemoryCgroup } from '../processes/cgroup.ts';
import { Child } from '../processes/child.ts';
import { root } from '../processes/ota.ts';
import { peakRssMb } from '../processes/proc.ts';

export interface MemoryProofOptions {
  readonly bodies: number;
  readonly bodyBytes: number;
  /** This many small bodies come first, and then large ones at once. */
  readonly small: number;
  /** The share of invalid bodies: each becomes a dead letter as large as itself. */
  readonly invalid: number;
  readonly limitMb: number;
  /** Further variables of the worker's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Options for the worker's Node, before the script. */
  readonly nodeOptions: readonly string[];
  readonly say: (line: string) => void;
}

export interface MemoryProof {
  readonly program: 'bundle' | 'source';
  /** If no cgroup can be created, only the peak is known. */
  readonly inCgroup: boolean;
  readonly applied: number;
  readonly deadLettered: number;
  /** Neither applied nor dead-lettered. */
  readonly lost: number;
  /** How the worker ended before it was told to; undefined: it did not. */
  readonly crash?: string;
  readonly peakRssMb: number;
  readonly peakCgroupMb?: number;
  readonly seconds: number;
}

/** Maximum number of messages on the queue or with the worker: the emulator keeps them in memory. */
const AHEAD = 400;
const REGION = 'eu-west-1';
const credentials = { accessKeyId: 'proof', secretAccessKey: 'proof' };
const bundle = `${root}dist/main.mjs`;

export async function proveMemory(options: MemoryProofOptions): Promise<MemoryProof> {
  const { bodies, limitMb, say } = options;
  const sqs = await startFauxqs({ port: 0, logger: false, host: '127.0.0.1', defaultRegion: REGION });
  const api = await startSimulatedApi({});
  for (const name of ['updates', 'dead']) sqs.createQueue(name, { region: REGION });
  const endpoint = `http://127.0.0.1:${sqs.port}`;
  const client = createSqsClient(10, { region: REGION, credentials, endpoint });
  const dead = new Queue(client, `${endpoint}/000000000000/dead`);
  const open = new Set(Array.from({ length: bodies }, (_, i) => i));
  const ended = { applied: 0, deadLettered: 0 };
  const end = (number: number, how: keyof typeof ended): void => {
    if (open.delete(number)) ended[how]++;
  };
  api.onCall(({ identifier }) => end(Number(identifier.slice('task'.length)), 'applied'));
  const cgroup = MemoryCgroup.make(`prove-memory-${process.pid}`, limitMb);
  const worker = startWorker(options, endpoint, api.url, cgroup);
  const startedAt = performance.now();
  let peak = 0;
  let fed = 0;
  try {
    for (let looks = 0; open.size > 0 && !worker.ended; looks++) {
      for (; fed < bodies && fed - (bodies - open.size) < AHEAD; fed++) {
        sqs.sendMessage('updates', bodyOf(fed, options), { region: REGION });
      }
      for (const letter of await takeLetters(dead)) end(numberOf(letter), 'deadLettered');
      if (!worker.ended) peak = Math.max(peak, peakRssMb(worker.pid) || 0);
      if (looks % 100 === 0) say(`${bodies - open.size} of ${bodies} ended, peak RSS ${Math.round(peak)} MB`);
      await sleep(20);
    }
    const crash = worker.ended ? `${worker.process.exitCode ?? worker.process.signalCode}` : undefined;
    const peakCgroupMb = cgroup?.peakMb;
    return {
      program: existsSync(bundle) ? 'bundle' : 'source',
      inCgroup: cgroup !== undefined,
      ...ended,
      lost: open.size,
      ...(crash !== undefined && { crash }),
      peakRssMb: Math.round(peak),
      ...(peakCgroupMb !== undefined && { peakCgroupMb: Math.round(peakCgroupMb) }),
      seconds: Math.round((performance.now() - startedAt) / 1_000),
    };
  } finally {
    await worker.end('SIGTERM', 10_000);
    cgroup?.remove();
    client.destroy();
    await api.close();
    await sqs.stop();
  }
}

function startWorker(
  { env, nodeOptions }: MemoryProofOptions,
  sqsUrl: string,
  apiUrl: string,
  cgroup: MemoryCgroup | undefined,
): Child {
  const script = existsSync(bundle) ? bundle : `${root}src/main.ts`;
  const args = [...nodeOptions, '--', script, 'worker'];
  const [command, all] = cgroup?.inside(process.execPath, args) ?? [process.execPath, args];
  return Child.start(command, all, {
    stderr: 'inherit',
    env: {
      PATH: process.env.PATH,
      QUEUE_URL: `${sqsUrl}/000000000000/updates`,
      DEAD_LETTER_QUEUE_URL: `${sqsUrl}/000000000000/dead`,
      AWS_ENDPOINT_URL_SQS: sqsUrl,
      AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS: apiUrl,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      RATE_LIMIT: 'unlimited',
      HTTP_PORT: 'off',
      LOG_LEVEL: 'warn',
      ...env,
    },
  });
}

/** Spaces around JSON change nothing. Some of the invalid bodies take twice the memory because of one character. */
function bodyOf(number: number, { bodyBytes, small, invalid }: MemoryProofOptions): string {
  const isInvalid = Math.floor((number + 1) * invalid) > Math.floor(number * invalid);
  const update = { Identifier: `task${number}`, Description: 'large' };
  const text = JSON.stringify(isInvalid ? { ...update, unknown: number % 2 ? 'é' : '☃' } : update);
  return number < small ? text : text.padEnd(bodyBytes - 10);
}

function numberOf({ body }: Message): number {
  return Number(/"task(\d+)"/.exec(body.slice(0, 100))?.[1] ?? Number.NaN);
}

async function takeLetters(dead: Queue): Promise<Message[]> {
  const letters = await dead.receive({ max: 10, waitSeconds: 0 });
  if (letters.length > 0) await dead.delete(letters.map(({ receiptHandle }) => receiptHandle));
  return letters;
}
