/** A worker that is killed leaves nothing undone: the next one completes its work. */
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { spawnWorker, type WorkerProcess } from '../../testing/processes/process.ts';
import { startSqsProxy } from '../../testing/sqs/proxy.ts';
import { recordOf, type Stage, setStage, watchedLease } from '../../testing/stages/stage.ts';

let stage: Stage;
afterEach(() => stage.strike());

const UPDATES = 800;
const CRASHES = 3;
/** The most messages that one crash leaves applied but not deleted, at the defaults. */
const HELD_AT_MOST = 300;

describe('a worker killed in the middle of its work', () => {
  test('leaves every update to be applied or dead-lettered by later workers', async () => {
    stage = await setStage({
      api: {
        latency: { minMs: 0, maxMs: 100 },
        tasks: { kind: 'all', exceptPrefix: 'unknown' },
      },
    });
    const env = stage.environment({
      ...watchedLease,
      RATE_LIMIT: '250',
      HTTP_PORT: 'off',
      LOG_LEVEL: 'debug',
      AWS_ENDPOINT_URL_SQS: stage.sqsUrl,
    });
    const bodies = Array.from({ length: UPDATES }, (_, i) => {
      if (i % 50 === 7) return { Identifier: `unknown${i}`, Description: 'not there' };
      if (i % 50 === 13) return { Identifier: `bad-${i}`, Description: 'not valid' };
      return { Identifier: `task${i}`, Description: `crash ${i}` };
    });
    await stage.send(...bodies);
    const expected = bodies.map(({ Identifier }) => Identifier);

    let worker: WorkerProcess | undefined;
    for (let crash = 1; crash <= CRASHES; crash++) {
      worker = spawnWorker(env);
      const target = crash * 200;
      await stage.api.waitFor(() => stage.api.stats().applied >= target);
      worker.kill('SIGKILL');
      expect(await worker.exited).toEqual({ code: null, signal: 'SIGKILL' });
    }
    worker = spawnWorker(env);
    await worker.waitForLine(() => {
      const { ready, inFlight } = stage.left();
      return ready + inFlight === 0;
    });
    worker.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });

    const letters = await stage.deadLetters();
    const dead = new Set(
      letters.map((letter) => (JSON.parse(letter.body) as { Identifier: string }).Identifier),
    );
    const applied = new Set(
      expected.filter((id, i) => stage.api.task(id)?.Description === bodies[i]?.Description),
    );
    expect(expected.filter((id) => !applied.has(id) && !dead.has(id))).toEqual([]);
    expect(expected.filter((id) => applied.has(id) && dead.has(id))).toEqual([]);
    expect([...dead].sort()).toEqual(expected.filter((id) => /^(unknown|bad)/.test(id)).sort());
    expect(new Set(letters.map((letter) => recordOf(letter).reason))).toEqual(
      new Set(['Rejected', 'Invalid']),
    );

    const duplicateCalls = [...applied].reduce((sum, id) => sum + stage.api.callsFor(id).length - 1, 0);
    const duplicateLetters = letters.length - dead.size;
    process.stdout.write(
      `${UPDATES} updates, ${CRASHES} crashes: ${applied.size} applied, ${dead.size} dead-lettered, ` +
        `${duplicateCalls} applied again, ${duplicateLetters} dead-lettered again\n`,
    );
    expect(duplicateCalls + duplicateLetters).toBeLessThanOrEqual(CRASHES * HELD_AT_MOST);
    expect(stage.left()).toEqual({ ready: 0, inFlight: 0 });
  });

  test('leaves a duplicate and never a loss when it dies between the dead letter and the delete', async () => {
    stage = await setStage();
    const proxy = await startSqsProxy(stage.sqsUrl);
    onTestFinished(() => proxy.close());
    const env = stage.environment({
      ...watchedLease,
      HTTP_PORT: 'off',
      AWS_ENDPOINT_URL_SQS: proxy.url,
    });
    await stage.send('not json');
    proxy.rule = ({ action }, forward) => (action === 'DeleteMessageBatch' ? 'hang' : forward());
    const first = spawnWorker(env);
    await proxy.waitFor(() => proxy.outstanding('DeleteMessageBatch') === 1);
    first.kill('SIGKILL');
    await first.exited;
    proxy.behave();
    const second = spawnWorker(env);
    await second.waitForEvent('dead_letter');
    expect(stage.left()).toEqual({ ready: 0, inFlight: 0 });
    const letters = await stage.deadLetters();
    expect(letters.map(({ body }) => body)).toEqual(['not json', 'not json']);
    // The emulator also delivers a message to the dead worker's poll, so the count may be 3.
    const [one = 0, two = 0] = letters.map((letter) => recordOf(letter).receiveCount);
    expect(one).toBe(1);
    expect(two).toBeGreaterThan(one);
    expect(new Set(letters.map((letter) => recordOf(letter).sourceMessageId)).size).toBe(1);
  });
});
