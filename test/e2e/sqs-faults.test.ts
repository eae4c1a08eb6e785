/** Answers of SQS with one thing wrong in them: it costs that one message, or nothing. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { blamelessCodes, failEntries, wrongChecksums } from '../../testing/sqs/faults.ts';
import { type SqsProxy, startSqsProxy } from '../../testing/sqs/proxy.ts';
import { recordOf, type Stage, type StageOptions, setStage } from '../../testing/stages/stage.ts';

let proxy: SqsProxy;
let stage: Stage;

beforeEach(async () => {
  proxy = await startSqsProxy();
});
afterEach(async () => {
  await stage.strike();
  await proxy.close();
});

async function set(options: StageOptions = {}): Promise<void> {
  stage = await setStage({
    api: { tasks: { kind: 'all', exceptPrefix: 'unknown' } },
    sqs: { endpoint: proxy.url },
    random: () => 0,
    ...options,
  });
  proxy.upstream = stage.sqsUrl;
}

const empty = { ready: 0, inFlight: 0 };

describe('entries of a batch that fail with SenderFault for what is not their fault', () => {
  test('are asked for again: no lease is dropped, nothing is called for twice, each letter arrives once, whole', async () => {
    await set({ outcomes: true });
    // Every action meets every code, and then works.
    const turns = new Map<string, number>();
    proxy.rule = failEntries((_, { action, queue }) => {
      const turn = turns.get(`${action} ${queue}`) ?? 0;
      turns.set(`${action} ${queue}`, turn + 1);
      const code = blamelessCodes[Math.floor(turn / 2)];
      return code === undefined ? undefined : { code, senderFault: true };
    });
    await stage.sendUpdates(8);
    await stage.sendUpdates(2, 'unknown');
    await stage.worker.start();
    await stage.ended(10);
    expect(stage.api.stats().calls).toBe(10);
    expect(stage.events.filter(({ type }) => type === 'lease-lost' || type.endsWith('refused'))).toEqual([]);
    expect(stage.left()).toEqual(empty);
    const letters = await stage.deadLetters();
    expect(letters.map((letter) => recordOf(letter).reason)).toEqual(['Rejected', 'Rejected']);
    expect(await stage.outcomes()).toHaveLength(10);
  });
});

describe('checksums that do not match', () => {
  test('of what was sent: SQS has it, and it is not sent again', async () => {
    await set({ outcomes: true });
    proxy.rule = wrongChecksums('SendMessageBatch');
    await stage.sendUpdates(3, 'unknown');
    await stage.worker.start();
    await stage.ended(3);
    expect(await stage.deadLetters()).toHaveLength(3);
    expect(await stage.outcomes()).toHaveLength(3);
    expect(stage.left()).toEqual(empty);
  });
});
