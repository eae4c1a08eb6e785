/** The three commands that send, against answers of SQS that are easily misread. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { failEntries, withWrongChecksum } from '../../testing/sqs/faults.ts';
import { type SqsRule, sqsError, startSqsProxy } from '../../testing/sqs/proxy.ts';
import { useApi } from '../../testing/stages/jobs.ts';
import { runInProcess } from '../../testing/stages/letters.ts';
import { setStage } from '../../testing/stages/stage.ts';

const identifiers = ['task0', 'task1', 'task2', 'task3'];
const rows = `Identifier,Description\n${identifiers.map((id) => `${id},x\n`).join('')}`;

/** A worker that reads the queue directly, and commands whose requests meet `rule` where they send updates. */
async function setScene(rule: SqsRule) {
  const stage = await setStage({ outcomes: true, random: () => 0 });
  onTestFinished(() => stage.strike());
  useApi(stage.api);
  const proxy = await startSqsProxy();
  onTestFinished(() => proxy.close());
  proxy.upstream = stage.sqsUrl;
  proxy.rule = (request, forward) =>
    request.queue === 'updates' && request.action === 'SendMessageBatch' ? rule(request, forward) : forward();
  const cwd = mkdtempSync(join(tmpdir(), 'sending-'));
  onTestFinished(() => rmSync(cwd, { recursive: true }));
  const url = (name: string): string => `${proxy.url}/000000000000/${name}`;
  const env = stage.environment({
    STATE_DIR: cwd,
    QUEUE_URL: url('updates'),
    DEAD_LETTER_QUEUE_URL: url('dead'),
    OUTCOME_QUEUE_URL: url('outcomes'),
    AWS_ENDPOINT_URL_SQS: undefined,
  });
  const file = join(cwd, 'rows.csv');
  writeFileSync(file, rows);
  await stage.worker.start();
  return { stage, cwd, file, run: (...args: readonly string[]) => runInProcess(args, { env }) };
}

type Scene = Awaited<ReturnType<typeof setScene>>;

/** Each sends an update for each of the identifiers. */
const commands: [string, (scene: Scene) => ReturnType<Scene['run']>][] = [
  ['enqueue', ({ file, run }) => run('enqueue', file)],
  [
    'jobs apply',
    async ({ cwd, file, run }) => {
      const plan = join(cwd, 'j.jsonl');
      await run('jobs', 'plan', file, '--job', 'j', '--out', plan);
      return run('jobs', 'apply', plan, '--yes');
    },
  ],
  [
    'dead-letters redrive',
    async ({ stage, run }) => {
      const bodies = identifiers.map((Identifier) => JSON.stringify({ Identifier, Description: 'x' }));
      await stage.dead.send(bodies.map((body, i) => ({ key: String(i), body })));
      return run('dead-letters', 'redrive', '--all', '--yes', '--reason', 'x');
    },
  ],
];

/** Each update is throttled once, as the sender's fault; every checksum is wrong; one has whole requests refused. */
function misleading(): SqsRule {
  const throttled = new Set<unknown>();
  const failOnce = failEntries(({ MessageBody }) => {
    if (throttled.has(MessageBody)) return undefined;
    throttled.add(MessageBody);
    return {
      code: throttled.size % 2 === 0 ? 'RequestThrottled' : 'KMS.ThrottlingException',
      senderFault: true,
    };
  });
  return async (request, forward) => {
    if (JSON.stringify(request.input.Entries).includes('task2'))
      return sqsError(400, 'InvalidParameterValue', 'no');
    const answer = await failOnce(request, forward);
    return typeof answer === 'string' ? answer : { ...answer, output: withWrongChecksum(answer.output) };
  };
}

test.each(commands)(
  '%s sends again what SQS throttled as the fault of the sender, counts what it accepted with a wrong checksum as sent, and finds the one for which it refuses whole requests',
  async (_, send) => {
    const scene = await setScene(misleading());
    const { exitCode, both } = await send(scene);
    expect(exitCode, both).not.toBe(0);
    expect(both).toContain('which answered with a different checksum; it is not sent again');
    expect(both).toMatch(/InvalidParameterValue|RefusedBySqs/);
    await scene.stage.ended(3);
    expect(scene.stage.api.stats().calls).toBe(3);
    expect(scene.stage.left()).toEqual({ ready: 0, inFlight: 0 });
  },
);
