/** A variable that names another one's queue, under another URL: no command takes a message from it. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { enterJob } from '../../src/jobs/run/enter.ts';
import { openFileLedger } from '../../testing/stages/file-ledger.ts';
import { JobsFolder, useApi } from '../../testing/stages/jobs.ts';
import { runInProcess } from '../../testing/stages/letters.ts';
import { Servers } from '../../testing/stages/servers.ts';
import { REGION } from '../../testing/stages/stage.ts';

const names = ['updates', 'dead', 'outcomes'] as const;
type Name = (typeof names)[number];
const variables: Readonly<Record<Name, string>> = {
  updates: 'QUEUE_URL',
  dead: 'DEAD_LETTER_QUEUE_URL',
  outcomes: 'OUTCOME_QUEUE_URL',
};

let servers: Servers;
beforeAll(async () => {
  servers = await Servers.start({
    queues: Object.fromEntries(names.map((name) => [name, {}])),
    fifo: false,
    strict: false,
    api: {},
  });
});
afterAll(() => servers.close());

beforeEach(() => {
  servers.sqs.reset();
  for (const name of names) {
    for (let i = 0; i < 12; i++)
      servers.sqs.sendMessage(name, `{"Identifier":"${name}${i}"}`, { region: REGION });
  }
});

/** Another URL of a queue, which names it differently from its own: only SQS knows that it is the same. */
const otherUrl = (name: Name): string => `${servers.sqsUrl}/111111111111/${name}`;

/** The ids of all messages of a queue, received or not. */
function messages(name: Name): string[] {
  const { ready = [], inflight = [] } = servers.sqs.inspectQueue(name)?.messages ?? {};
  return [...ready, ...inflight.map(({ message }) => message)].map(({ messageId }) => messageId).toSorted();
}

/** A ledger with a job of which nothing is sent, and its plan. */
async function setJob() {
  useApi(servers.api);
  const folder = new JobsFolder();
  const state = `${folder.path}/state`;
  const env = {
    STATE_DIR: state,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    ...Object.fromEntries(names.map((name) => [variables[name], servers.queueUrl(name)])),
  };
  const rows = `${folder.path}/rows.csv`;
  const plan = `${folder.path}/p.jsonl`;
  folder.file('rows.csv', 'Identifier,Description\na1,x\n');
  const planned = await runInProcess(['jobs', 'plan', rows, '--job', 'j', '--out', plan], { env });
  expect(planned.exitCode, planned.both).toBe(0);
  const ledger = await openFileLedger(state, Date.now, 'create');
  const read = await folder.plan('p.jsonl');
  const { key } = await enterJob(ledger, read, plan, { who: 'a@b' });
  await ledger.enter(key, read.all);
  await ledger.complete(key);
  await ledger.close();
  return { env, rows, plan };
}

const collecting = [
  'status j',
  'list',
  'report j',
  'apply PLAN --yes',
  'resume j',
  'retry j --only-failed',
  'reconcile j',
].map((command) => `jobs ${command}`);
const onLetters = [
  'list',
  'show x',
  'export',
  'purge --all --yes --reason r',
  'redrive --all --yes --reason r --force',
].map((command) => `dead-letters ${command}`);

test.each<[variable: Name, commands: readonly string[], queue: Name]>([
  ['outcomes', collecting, 'updates'],
  ['outcomes', collecting, 'dead'],
  ['dead', onLetters, 'updates'],
  ['dead', onLetters, 'outcomes'],
])(
  'where the variable of %s names another queue, %j take nothing from it: %s',
  async (own, commands, other) => {
    const { env, plan } = await setJob();
    const before = names.map(messages);
    const swapped = { ...env, [variables[own]]: otherUrl(other) };
    for (const command of commands) {
      const args = command.split(' ').map((word) => (word === 'PLAN' ? plan : word));
      const { exitCode, both } = await runInProcess(args, { env: swapped });
      expect([exitCode, both], command).toEqual([2, expect.stringContaining('is the same queue as')]);
      expect(both, command).toContain(variables[own]);
      expect(both, command).toContain(variables[other]);
      expect(names.map(messages), command).toEqual(before);
    }
  },
);

test('where the update queue and its dead-letter queue are swapped, a purge deletes no updates', async () => {
  const { env } = await setJob();
  const policy = (arn: string) => JSON.stringify({ deadLetterTargetArn: arn, maxReceiveCount: 1_000 });
  const dead = servers.sqs.createQueue('policy-dead', { region: REGION });
  const attributes = { RedrivePolicy: policy(dead.queueArn) };
  servers.sqs.createQueue('policy-updates', { region: REGION, attributes });
  servers.sqs.sendMessage('policy-updates', '{}', { region: REGION });
  const right = {
    ...env,
    QUEUE_URL: servers.queueUrl('policy-updates'),
    DEAD_LETTER_QUEUE_URL: servers.queueUrl('policy-dead'),
  };
  const purge = ['dead-letters', 'purge', '--all', '--yes', '--reason', 'r'];
  expect((await runInProcess(purge, { env: right })).exitCode).toBe(0);
  const swapped = {
    ...right,
    QUEUE_URL: right.DEAD_LETTER_QUEUE_URL,
    DEAD_LETTER_QUEUE_URL: right.QUEUE_URL,
  };
  const { exitCode, stderr } = await runInProcess(purge, { env: swapped });
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('are swapped')]);
  expect(servers.sqs.inspectQueue('policy-updates')?.messages.ready).toHaveLength(1);
});

test.each(['updates', 'dead'] as const)(
  'where no other variable is set, %s as the outcome queue is left as it is, and told',
  async (other) => {
    const { env } = await setJob();
    const before = names.map(messages);
    const alone = {
      ...env,
      QUEUE_URL: undefined,
      DEAD_LETTER_QUEUE_URL: undefined,
      OUTCOME_QUEUE_URL: otherUrl(other),
    };
    for (const command of ['status', 'report']) {
      const { both } = await runInProcess(['jobs', command, 'j'], { env: alone });
      expect(both).toContain('not outcomes');
      expect(servers.sqs.inspectQueue(other)?.messages.inflight).toEqual([]);
      expect(names.map(messages)).toEqual(before);
    }
  },
);

test('the rows that `enqueue --job` sends, and an undo, take nothing from any queue', async () => {
  const { env, rows } = await setJob();
  const before = names.map(messages);
  for (const other of ['updates', 'dead'] as const) {
    const swapped = { ...env, OUTCOME_QUEUE_URL: otherUrl(other) };
    await runInProcess(['enqueue', rows, '--job', `sent-${other}`], { env: swapped });
    await runInProcess(['jobs', 'undo', 'j', '--out', `${rows}.undo`], { env: swapped });
  }
  for (const [i, name] of names.entries())
    expect(messages(name)).toEqual(expect.arrayContaining(before[i] ?? []));
});
