/**
 * Whatever the flags, paths and queue variables: no command removes or changes a file that it has not made, nor a message that
 * is not what it consumes. NOTHING_DESTROYED_CASES says how many cases, NOTHING_DESTROYED_SEED which (a failure names it).
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readPlan } from '../../src/jobs/plan/reader.ts';
import { enterJob } from '../../src/jobs/run/enter.ts';
import { openFileLedger } from '../../testing/stages/file-ledger.ts';
import { runInProcess } from '../../testing/stages/letters.ts';
import { Servers } from '../../testing/stages/servers.ts';
import { REGION } from '../../testing/stages/stage.ts';
import {
  existing,
  free,
  inputs,
  lookAlikes,
  type Made,
  replaceable,
  stateFolders,
  World,
} from '../../testing/stages/world.ts';

const CASES = Number(process.env.NOTHING_DESTROYED_CASES ?? 100);
const SEED = Number(process.env.NOTHING_DESTROYED_SEED ?? Date.now() % 2 ** 31);
/** Cases at a time: most of one is waiting. */
const LANES = 8;

const queues = ['updates', 'dead', 'outcomes'] as const;
type QueueName = (typeof queues)[number];
const variables = {
  QUEUE_URL: 'updates',
  DEAD_LETTER_QUEUE_URL: 'dead',
  OUTCOME_QUEUE_URL: 'outcomes',
} as const;

let servers: Servers;
let made: Made;
let folder: string;

beforeAll(async () => {
  servers = await Servers.start({ queues: {}, fifo: false, strict: false, api: {} });
  vi.stubEnv('AWS_REGION', REGION);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  vi.stubEnv('AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS', servers.api.url);
  folder = mkdtempSync(join(tmpdir(), 'made-'));
  made = await make();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
  await servers.close();
});

/** What the worlds share: written by the commands themselves. */
async function make(): Promise<Made> {
  const at = (name: string): string => join(folder, name);
  const state = at('state');
  const env = { STATE_DIR: state, RATE_LIMIT: 'unlimited', AWS_REGION: REGION };
  const run = async (...args: string[]): Promise<void> => {
    const { exitCode, both } = await runInProcess(args, { env, cwd: folder });
    expect(exitCode, both).toBe(0);
  };
  mkdirSync(state);
  writeFileSync(at('rows.csv'), 'Identifier,Description\na1,x\n');
  await run('jobs', 'plan', 'rows.csv', '--job', 'j', '--out', 'plan');
  const ledger = await openFileLedger(state, Date.now, 'create');
  const signal = new AbortController().signal;
  const plan = await readPlan('plan', { stdin: process.stdin, cwd: folder, signal });
  const { key } = await enterJob(ledger, plan, at('plan'), { who: 'a@b' });
  await ledger.enter(key, await Array.fromAsync(plan.rows()));
  await ledger.complete(key);
  await plan.close();
  await ledger.close();
  await run('jobs', 'report', 'j', '--out', 'report');
  writeFileSync(at('letters'), `${JSON.stringify({ MessageId: 'of-no-letter', Body: 'x' })}\n`);
  return {
    state,
    plan: at('plan'),
    report: at('report'),
    letters: at('letters'),
    ...node('pipe', 'p'),
    ...node('device', 'c', '1', '3'),
  };
}

/** A node of a folder of ours: no command is ever given a path under /dev. */
function node(name: 'pipe' | 'device', ...kind: string[]): { readonly [Name in typeof name]?: string } {
  const path = join(folder, name);
  try {
    execFileSync('mknod', [path, ...kind], { stdio: 'ignore' });
    return { [name]: path };
  } catch {
    return {};
  }
}

interface Case {
  readonly args: readonly string[];
  /** Which queue each variable names, and by which of its two URLs. */
  readonly env: readonly (readonly [queue: QueueName, name: 0 | 1] | undefined)[];
  readonly state: (typeof stateFolders)[number];
}

const path = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...existing) },
  { weight: 3, arbitrary: fc.constantFrom(...Object.values(replaceable), ...lookAlikes) },
  { weight: 1, arbitrary: fc.constantFrom(...free) },
);
const input = fc.constantFrom(...inputs);
const flag = (name: string) => fc.constantFrom([], [name]);
const pathFlag = (name: string) => fc.option(path).map((value) => (value === null ? [] : [name, value]));
const words = (
  ...parts: readonly (string | fc.Arbitrary<string | readonly string[]>)[]
): fc.Arbitrary<string[]> =>
  fc
    .tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part)))
    .map((drawn) => drawn.flat() as string[]);
const confirmed = fc.constantFrom<string[][]>([], ['--yes', '--reason', 'r']);
const letters = fc.oneof(
  fc.constantFrom<string[][]>(['--all'], ['--where', 'reason=foreign'], ['--where', 'reason=Rejected']),
);

const args = fc.oneof(
  {
    weight: 6,
    arbitrary: words(
      'enqueue',
      input,
      pathFlag('--refused'),
      flag('--dry-run'),
      fc.constantFrom([], ['--job', 'e']),
    ),
  },
  {
    weight: 6,
    arbitrary: words('jobs', 'plan', input, pathFlag('--out'), pathFlag('--refused'), flag('--force')),
  },
  {
    weight: 3,
    arbitrary: words('jobs', 'undo', 'j', pathFlag('--out'), pathFlag('--refused'), flag('--force')),
  },
  { weight: 4, arbitrary: words('jobs', 'report', 'j', pathFlag('--out'), flag('--force')) },
  { weight: 3, arbitrary: words('jobs', 'status', fc.constantFrom([], ['j'])) },
  {
    weight: 1,
    arbitrary: words(
      'jobs',
      fc.constantFrom('apply', 'resume', 'reconcile'),
      fc.constantFrom('j', replaceable.plan),
      fc.constantFrom([], ['--yes']),
    ),
  },
  { weight: 1, arbitrary: words('jobs', 'retry', 'j', '--only-failed') },
  { weight: 1, arbitrary: words(fc.constantFrom(['jobs', 'list'], ['check'], ['trace', 'a1'])) },
  {
    weight: 2,
    arbitrary: words('dead-letters', fc.constantFrom(['list'], ['list', '--group'], ['show', 'a1'])),
  },
  {
    weight: 3,
    arbitrary: words('dead-letters', 'export', pathFlag('--out'), fc.constantFrom([], ['--limit', '1'])),
  },
  { weight: 2, arbitrary: words('dead-letters', 'redrive', letters, confirmed, flag('--force')) },
  {
    weight: 2,
    arbitrary: words(
      'dead-letters',
      'purge',
      fc.oneof(
        letters,
        fc.constant(['--exported', 'letters.jsonl']),
        input.map((file) => ['--exported', file]),
      ),
      confirmed,
    ),
  },
);
/** Mostly as they should be; else any queue under either name, or none. */
const env = fc.tuple(
  ...Object.values(variables).map((own) =>
    fc.oneof(
      { weight: 3, arbitrary: fc.constant([own, 0] as const) },
      {
        weight: 2,
        arbitrary: fc.option(fc.tuple(fc.constantFrom(...queues), fc.constantFrom<(0 | 1)[]>(0, 1)), {
          nil: undefined,
        }),
      },
    ),
  ),
);

const state = fc.oneof(
  { weight: 8, arbitrary: fc.constant('state' as const) },
  fc.constantFrom(...stateFolders),
);

let number = 0;

/** Queues with messages: an update, letters, an outcome, and on the outcome queue a stray. */
function fill() {
  const prefix = `c${number++}`;
  const ids = new Map<string, QueueName>();
  /** Messages that are letters with a reason; all others are foreign on a dead-letter queue. */
  const rejected = new Set<string>();
  const put = (queue: QueueName, body: unknown, reason?: string): string => {
    const record = { DataType: 'String', StringValue: JSON.stringify({ ...letterRecord, reason }) };
    const attributes = reason === undefined ? {} : { messageAttributes: { DeadLetter: record } };
    const sent = servers.sqs.sendMessage(`${prefix}-${queue}`, JSON.stringify(body), {
      region: REGION,
      ...attributes,
    });
    ids.set(sent.messageId, queue);
    if (reason === 'Rejected') rejected.add(sent.messageId);
    return sent.messageId;
  };
  for (const queue of queues) servers.sqs.createQueue(`${prefix}-${queue}`, { region: REGION });
  const update = { Identifier: 'a1', Description: 'x' };
  for (let i = 0; i < 2; i++) put('updates', update);
  put('dead', update);
  put('dead', update, 'Rejected');
  put('outcomes', { stray: true });
  const outcome = put('outcomes', {
    MessageId: 'm',
    ...update,
    JobId: 'j',
    Outcome: 'applied',
    Attempts: 1,
    At: '2026-11-23T07:00:00Z',
  });
  return {
    ids,
    outcome,
    rejected,
    url: (queue: QueueName, name: 0 | 1) => `${servers.sqsUrl}/${'01'[name]?.repeat(12)}/${prefix}-${queue}`,
    /** Initial messages that are on no queue any more. */
    gone: (): string[] => {
      const left = queues.flatMap((queue) => {
        const {
          ready = [],
          delayed = [],
          inflight = [],
        } = servers.sqs.inspectQueue(`${prefix}-${queue}`)?.messages ?? {};
        return [...ready, ...delayed, ...inflight.map(({ message }) => message)].map(
          ({ messageId }) => messageId,
        );
      });
      return [...ids.keys()].filter((id) => !left.includes(id));
    },
    remove: () => {
      for (const queue of queues) servers.sqs.deleteQueue(`${prefix}-${queue}`, { region: REGION });
    },
  };
}

const letterRecord = {
  error: { name: 'ResourceNotFoundException', status: 404, message: 'not found' },
  attempts: 1,
  receiveCount: 1,
  sentAt: '2026-11-23T02:00:00.000Z',
  deadLetteredAt: '2026-11-23T03:00:00.000Z',
  sourceMessageId: 's',
  sourceQueueUrl: 'http://queue.invalid/updates',
  redriveCount: 0,
};

/** Files that the user allows the command to replace: never one that it reads, under any of its names, nor refused rows. */
function allowed(words: readonly string[]): readonly string[] {
  if (!words.includes('--force')) return [];
  const given = (name: string): string | undefined => words[words.indexOf(name) + 1];
  const [command, sub, input] = words;
  const reads = input === 'hard.plan' ? replaceable.plan : input;
  const out =
    command !== 'jobs' ? [] : sub === 'report' ? [replaceable.report] : [replaceable.plan, 'hard.plan'];
  return out
    .filter((name) => words.includes('--out') && name === given('--out'))
    .filter((name) => (name === 'hard.plan' ? replaceable.plan : name) !== reads);
}

/** Whether the command is there to take this message. */
function consumed(
  { args, env }: Case,
  queue: QueueName,
  { isOutcome, isRejected }: { readonly isOutcome: boolean; readonly isRejected: boolean },
): boolean {
  const [command, sub = '', ...rest] = args;
  const [, dead, outcomes] = env;
  if (env.filter((drawn) => drawn?.[0] === queue).length !== 1) return false;
  if (command === 'jobs' && sub !== 'plan' && sub !== 'undo') return isOutcome && outcomes?.[0] === queue;
  // Letters are whatever is on the queue that is said to be theirs: the user has agreed to those that the flags name.
  const deletes = command === 'dead-letters' && (sub === 'purge' || sub === 'redrive');
  const named = rest.includes('--all') || rest.includes(isRejected ? 'reason=Rejected' : 'reason=foreign');
  return deletes && named && rest.includes('--yes') && dead?.[0] === queue;
}

async function run(one: Case): Promise<void> {
  const world = new World(made);
  const messages = fill();
  try {
    const urls = Object.keys(variables).flatMap((name, i) => {
      const drawn = one.env[i];
      return drawn === undefined ? [] : [[name, messages.url(...drawn)]];
    });
    const { both } = await runInProcess(one.args, {
      env: {
        ...Object.fromEntries(urls),
        STATE_DIR: join(world.folder, one.state),
        RATE_LIMIT: 'unlimited',
        AWS_REGION: REGION,
        USER: 'u',
      },
      cwd: world.folder,
      interruptAfterMs: 300,
    }).catch((error: unknown) => {
      // Flags that the command does not take: it did not begin.
      if (error instanceof CommanderError) return { both: error.message };
      throw error;
    });
    const told = `seed ${SEED}: ${JSON.stringify(one)}\n${both}`;
    const may = allowed(one.args);
    expect(
      world.harm().filter((name) => !may.includes(name)),
      told,
    ).toEqual([]);
    const lost = messages.gone().filter((id) => {
      const queue = messages.ids.get(id);
      return (
        queue !== undefined &&
        !consumed(one, queue, {
          isOutcome: id === messages.outcome,
          isRejected: messages.rejected.has(id),
        })
      );
    });
    expect(
      lost.map((id) => messages.ids.get(id)),
      told,
    ).toEqual([]);
  } finally {
    world.remove();
    messages.remove();
  }
}

test("no command destroys what is the operator's", async () => {
  const cases = fc.sample(fc.record({ args, env, state }), { numRuns: CASES, seed: SEED }).values();
  const lane = async (): Promise<void> => {
    for (const one of cases) await run(one);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}, 900_000);
