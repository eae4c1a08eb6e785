/** Answers of SQS with one thing wrong in them: it costs that one message, or nothing. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readiness } from '../../src/observe/health.ts';
import { blamelessCodes, failEntries, wrongChecksums } from '../../testing/sqs/faults.ts';
import { type SqsProxy, type SqsRule, startSqsProxy } from '../../testing/sqs/proxy.ts';
import { runLetters } from '../../testing/stages/letters.ts';
import {
  credentials,
  recordOf,
  type Stage,
  type StageOptions,
  setStage,
} from '../../testing/stages/stage.ts';

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
      const code = blamelessCodes[turn];
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

test('an AccessDenied of STS says nothing of the queues: the worker looks for them until it has credentials', async () => {
  let trusted = false;
  // What the provider of a web identity throws while the role does not trust it.
  const denied = Object.assign(new Error('Not authorized to perform sts:AssumeRoleWithWebIdentity'), {
    name: 'AccessDenied',
    $metadata: { httpStatusCode: 403 },
  });
  await set({
    sqs: {
      endpoint: proxy.url,
      credentials: async () => {
        if (!trusted) throw denied;
        return credentials;
      },
    },
  });
  await stage.sendUpdates(1);
  const started = stage.worker.start();
  await stage.until(() => stage.hasCondition('finding-queues'));
  expect(stage.hasCondition('queue-attributes')).toBe(false);
  expect(proxy.count()).toBe(0);
  trusted = true;
  await started;
  await stage.ended(1);
  expect(stage.hasCondition('finding-queues') || stage.hasCondition('queue-attributes')).toBe(false);
});

type Fields = Record<string, unknown>;

/** Rewrites what a receive brings, message by message; `change` gets the body to tell them apart. */
function received(change: (body: string, receiptHandle: string) => Fields | undefined): SqsRule {
  return async ({ action }, forward) => {
    const answer = await forward();
    const messages = answer.output.Messages as Fields[] | undefined;
    if (action !== 'ReceiveMessage' || messages === undefined) return answer;
    const Messages = messages.map((message) => ({
      ...message,
      ...change(String(message.Body), String(message.ReceiptHandle)),
    }));
    return { ...answer, output: { ...answer.output, Messages } };
  };
}

const attribute = (name: string) => Object.fromEntries([[name, { dataType: 'String', stringValue: 'kept' }]]);

describe('messages that are not as they should be', () => {
  test('end one by one, and cost the others of their receive nothing', async () => {
    await set();
    const before = new Set<string>();
    // What is left comes again when its lease is over: here at once.
    const once = (body: string, receiptHandle: string, wrong: Fields): Fields | undefined => {
      if (before.has(body)) return undefined;
      before.add(body);
      void stage.source.changeVisibility([{ receiptHandle, seconds: 0 }]);
      return wrong;
    };
    proxy.rule = received((body, handle) => {
      if (body.includes('attributeNull')) return { MessageAttributes: { x: null } };
      if (body.includes('sentNever')) return { Attributes: { SentTimestamp: 'yesterday' } };
      if (body.includes('noHandle')) return once(body, handle, { ReceiptHandle: null });
      if (body.includes('changed')) return once(body, handle, { MD5OfBody: '0'.repeat(32) });
      return undefined;
    });
    const bodies = ['attributeNull', 'sentNever', 'noHandle', 'changed', 'h1', 'h2'].map((Identifier) =>
      JSON.stringify({ Identifier, Description: 'x' }),
    );
    await stage.send(...bodies);
    await stage.source.send([
      {
        key: 'a',
        body: JSON.stringify({ Identifier: 'proto', Description: 'x' }),
        attributes: attribute('__proto__'),
      },
      { key: 'b', body: 'no JSON', attributes: attribute('__proto__') },
    ]);
    await stage.worker.start();
    await stage.ended(8);
    expect(stage.api.stats().calls).toBe(5);
    const left = stage.events.flatMap((event) => (event.type === 'message-left' ? event.reason : []));
    expect(left.sort()).toEqual(['it has no receipt handle', 'the checksum of its body does not match']);
    const letters = await stage.deadLetters();
    expect(letters.map((letter) => [letter.body, recordOf(letter).reason]).sort()).toEqual(
      [...bodies.slice(0, 2), 'no JSON'].map((body) => [body, 'Invalid']).sort(),
    );
    const kept = letters.find(({ body }) => body === 'no JSON');
    expect(Object.keys(kept?.attributes ?? {}).sort()).toEqual(['DeadLetter', '__proto__']);
    expect(Object.entries(kept?.attributes ?? {})).toContainEqual(['__proto__', attribute('x').x]);
    expect(stage.left()).toEqual(empty);
  });

  test('while none is, the worker says so and is not ready; and it is over with the first that is', async () => {
    await set();
    proxy.rule = received((_, receiptHandle) => {
      void stage.source.changeVisibility([{ receiptHandle, seconds: 0 }]);
      return { MD5OfBody: '0'.repeat(32) };
    });
    await stage.sendUpdates(1);
    await stage.worker.start();
    await stage.until(() => stage.hasCondition('reading'));
    expect(readiness(stage.worker.snapshot()).reasons.join()).toContain('do not arrive intact');
    proxy.behave();
    await stage.ended(1);
    expect(stage.hasCondition('reading')).toBe(false);
    expect(stage.left()).toEqual(empty);
  });

  test('one that goes elsewhere leaves no condition behind, though nothing else comes', async () => {
    await set({ env: { VISIBILITY_TIMEOUT_SECONDS: '2' } });
    proxy.rule = received((_, receiptHandle) => {
      void stage.source.delete([receiptHandle]);
      return { MD5OfBody: '0'.repeat(32) };
    });
    await stage.sendUpdates(1);
    await stage.worker.start();
    await stage.until(() => stage.hasCondition('reading'));
    await stage.until(() => !stage.hasCondition('reading'));
    expect(stage.events.filter(({ type }) => type === 'message-left')).toHaveLength(1);
    expect(stage.settled()).toEqual([]);
  });

  test('on the dead-letter queue: they are listed, or named and left', async () => {
    await set();
    proxy.rule = received((body) => {
      if (body === 'null') return { MessageAttributes: { x: null } };
      return body === 'changed' ? { MD5OfBody: '0'.repeat(32) } : undefined;
    });
    await stage.dead.send([
      { key: 'a', body: 'null' },
      { key: 'b', body: 'changed' },
      { key: 'c', body: 'proto', attributes: attribute('__proto__') },
      { key: 'd', body: 'healthy' },
    ]);
    const env = stage.environment({ AWS_ENDPOINT_URL_SQS: proxy.url });
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    const { exitCode, stdout, stderr } = await runLetters(['list'], { env });
    vi.unstubAllEnvs();
    expect([exitCode, stdout.match(/foreign/g)?.length]).toEqual([0, 3]);
    expect(stderr).toMatch(/is left there, because the checksum of its body does not match\.\n/);
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
    expect(stage.events.filter(({ type }) => type === 'sent-checksum-differs')).toHaveLength(6);
    expect(stage.left()).toEqual(empty);
  });
});
