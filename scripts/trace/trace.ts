/** Sends a worker one message at a time, and records what each message passes. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from '../../testing/processes/child.ts';
import { Inspector } from '../../testing/processes/inspector.ts';
import { startOta } from '../../testing/processes/ota.ts';
import { type Calls, least, subtract } from './calls.ts';
import type { Cloud } from './cloud.ts';
import { CallCounter } from './coverage.ts';

/** How long a worker is left idle before a round, and after the message is settled, in milliseconds. */
const QUIET_MS = 400;
/** Time for a worker to become idle after its first messages, in milliseconds. */
const IDLE_AFTER_MS = 2_000;
const WARM_UP_MESSAGES = 50;
const ATTEMPTS = 2;

/** A kind of message, by how it ends. */
export interface Kind {
  readonly title: string;
  /** The beginning of its Identifiers. */
  readonly prefix: string;
  readonly outcomes: boolean;
  /** Its calls fail until the message is deferred. */
  readonly deferred: boolean;
}

export const kinds: readonly Kind[] = [
  { title: 'one applied message', prefix: 'task', outcomes: false, deferred: false },
  { title: 'one dead letter, with an outcome queue', prefix: 'unknown', outcomes: true, deferred: false },
  { title: 'one deferred message (two attempts)', prefix: 'fails', outcomes: false, deferred: true },
];

export interface TraceOptions {
  readonly cloud: Cloud;
  readonly kind: Kind;
  readonly root: string;
  readonly joining: string;
  readonly rounds: number;
}

export interface Traced {
  /** Calls per function of `src/` for one message, less those of an idle worker. */
  readonly calls: Calls;
  /** Calls of the joining module's functions by callers outside it. */
  readonly entries: Calls;
}

export async function trace({ cloud, kind, root, joining, rounds }: TraceOptions): Promise<Traced> {
  const worker = startOta(['worker'], {
    cwd: root,
    nodeOptions: ['--inspect=127.0.0.1:0'],
    script: [join(root, 'src/main.ts')],
    env: {
      ...cloud.env,
      HTTP_PORT: 'off',
      RATE_LIMIT: '400',
      MAX_ATTEMPTS: String(ATTEMPTS),
      RETRY_BASE_MS: '1',
      RETRY_MAX_MS: '1',
      ...(kind.outcomes && { OUTCOME_QUEUE_URL: cloud.outcomeQueueUrl }),
    },
  });
  try {
    const inspector = await Inspector.connect(
      await worker.find((line) => /Debugger listening on (ws:\S+)/.exec(line)?.[1]),
    );
    const messages = new Messages(cloud, kind, worker);
    await messages.warmUp();
    const counter = new CallCounter(inspector, root, joining);
    const calls = await compare(messages, rounds, (during) => counter.count(during));
    const take = await counter.watchEntries();
    const entries = await compare(messages, rounds, async (during) => {
      take();
      await during();
      return take();
    });
    inspector.close();
    return { calls, entries };
  } finally {
    await worker.end();
  }
}

/** What is counted in every round while a message passes, less what is counted in every idle time. */
async function compare(
  messages: Messages,
  rounds: number,
  count: (during: () => Promise<unknown>) => Promise<Calls>,
): Promise<Calls> {
  const idle: Calls[] = [];
  const busy: Calls[] = [];
  while (busy.length < rounds) {
    await sleep(QUIET_MS);
    idle.push(await count(() => sleep(QUIET_MS)));
    busy.push(await count(() => messages.one()));
    await messages.rest();
  }
  return subtract(least(busy), least(idle));
}

class Messages {
  readonly #cloud: Cloud;
  readonly #kind: Kind;
  readonly #worker: Child;
  #sent = 0;

  constructor(cloud: Cloud, kind: Kind, worker: Child) {
    this.#cloud = cloud;
    this.#kind = kind;
    this.#worker = worker;
  }

  /** Sends enough messages, in a burst and singly, that everything is loaded and has run once. */
  async warmUp(): Promise<void> {
    for (let i = 0; i < WARM_UP_MESSAGES; i++) await this.#cloud.send(`warm${i}`);
    await this.rest();
    for (let i = 0; i < 3; i++) {
      await this.one();
      await this.rest();
    }
    await sleep(IDLE_AFTER_MS);
  }

  /** Sends one message and waits until it is settled and the worker is idle again. */
  async one(): Promise<void> {
    const identifier = `${this.#kind.prefix}${++this.#sent}`;
    if (!this.#kind.deferred) {
      await this.#cloud.send(identifier);
      await this.rest();
      await sleep(QUIET_MS);
      return;
    }
    await this.#cloud.failNext(identifier, ATTEMPTS);
    const deferred = this.#worker.find((line) => (line.includes('"event":"deferred"') ? true : undefined));
    await this.#cloud.send(identifier);
    await deferred;
    // Short: a deferred message comes back within five seconds.
    await sleep(QUIET_MS / 4);
  }

  /** Waits until the queue is empty. */
  rest(): Promise<void> {
    return this.#cloud.empty();
  }
}
