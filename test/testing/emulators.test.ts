/** The table of docs/emulators.md, row by row, on both emulators without the layers that our tests put in front of them. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { buildApp } from 'fauxqs';
import { createRequestHandler } from 'local-aws-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const page = readFileSync(new URL('../../docs/emulators.md', import.meta.url), 'utf8');
/** The cells of each row, by the first one. */
const rows = new Map(
  [...page.matchAll(/^\| (.+?) \| (.+) \| (.+) \|$/gm)].map(([, aws = '', first = '', second = '']) => [
    aws,
    [first, second] as const,
  ]),
);

interface Answer {
  readonly ok: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: answers of any action
  readonly output: any;
}
interface Emulator {
  readonly ask: (action: string, input: object, init?: RequestInit) => Promise<Answer>;
  readonly url: string;
}

const names = ['fauxqs', 'local-aws-sqs'] as const;
type Name = (typeof names)[number];
const emulators = {} as Record<Name, Emulator>;
const closers: (() => void)[] = [];

function emulator(url: string): Emulator {
  return {
    url,
    ask: async (action, input, init = {}) => {
      const answer = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${action}` },
        body: JSON.stringify(input),
        ...init,
      });
      const text = await answer.text();
      return { ok: answer.ok, output: text === '' ? {} : JSON.parse(text) };
    },
  };
}

beforeAll(async () => {
  const app = buildApp({ logger: false });
  emulators.fauxqs = emulator(await app.listen({ host: '127.0.0.1', port: 0 }));
  closers.push(() => {
    void app.close();
    app.server.closeAllConnections();
  });
  const made: { handler?: ReturnType<typeof createRequestHandler> } = {};
  const server = createServer((request, response) => void made.handler?.requestHandler(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const region = 'eu-west-1';
  made.handler = createRequestHandler({
    port,
    hostname: '127.0.0.1',
    region,
    accountId: '000000000000',
    emulateQueueCreationLifecycle: false,
  });
  emulators['local-aws-sqs'] = emulator(`http://127.0.0.1:${port}`);
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
});
afterAll(() => {
  for (const close of closers) close();
});

let made = 0;
/** A new queue, with what a row needs of it. */
class Queue {
  readonly #emulator: Emulator;
  readonly name: string;
  readonly url: string;
  constructor(on: Emulator, name: string) {
    this.#emulator = on;
    this.name = name;
    this.url = `${on.url}/000000000000/${name}`;
  }
  static async make(on: Emulator, Attributes: Record<string, string> = {}): Promise<Queue> {
    const QueueName = `queue-${++made}${Attributes.FifoQueue === undefined ? '' : '.fifo'}`;
    expect(await on.ask('CreateQueue', { QueueName, Attributes })).toMatchObject({ ok: true });
    return new Queue(on, QueueName);
  }
  ask(action: string, input: object = {}, init?: RequestInit): Promise<Answer> {
    return this.#emulator.ask(action, { QueueUrl: this.url, ...input }, init);
  }
  async send(MessageBody: string, input: object = {}): Promise<boolean> {
    return (await this.ask('SendMessage', { MessageBody, ...input })).ok;
  }
  // biome-ignore lint/suspicious/noExplicitAny: messages with any fields
  async receive(input: object = {}): Promise<any[]> {
    const receive = { MaxNumberOfMessages: 10, ...input };
    return (await this.ask('ReceiveMessage', receive)).output.Messages ?? [];
  }
  async count(): Promise<{ readonly visible: number; readonly inFlight: number }> {
    const { output } = await this.ask('GetQueueAttributes', { AttributeNames: ['All'] });
    const { ApproximateNumberOfMessages: visible, ApproximateNumberOfMessagesNotVisible: inFlight } =
      output.Attributes;
    return { visible: Number(visible), inFlight: Number(inFlight) };
  }
}

const fifo = { FifoQueue: 'true', ContentBasedDeduplication: 'true' };
const eleven = Object.fromEntries(
  Array.from({ length: 11 }, (_, i) => [`a${i}`, { DataType: 'String', StringValue: 'x' }]),
);

/**
 * For each row: what an emulator does. Its cell begins with a text that is given here, and with `yes` if and only if `true` is
 * given.
 */
const probes: Record<string, (on: Emulator) => Promise<string | boolean>> = {
  'a long poll ends when a message comes': async (on) => {
    const queue = await Queue.make(on);
    const start = performance.now();
    const received = queue.receive({ WaitTimeSeconds: 3 });
    await setTimeout(300);
    await queue.send('x');
    expect(await received).toHaveLength(1);
    return performance.now() - start < 2_500;
  },
  'a receive that its client aborts may leave up to ten messages in flight': async (on) => {
    const queue = await Queue.make(on);
    const receive = { MaxNumberOfMessages: 10, WaitTimeSeconds: 4 };
    await expect(
      queue.ask('ReceiveMessage', receive, { signal: AbortSignal.timeout(300) }),
    ).rejects.toThrow();
    await setTimeout(1_000);
    await queue.send('x');
    await setTimeout(200);
    const [during, inFlight] = [await queue.receive(), (await queue.count()).inFlight];
    await setTimeout(3_000);
    await queue.send('y');
    expect((await queue.receive()).map(({ Body }) => Body)).toEqual(['y']);
    return during.length === 0 && inFlight === 1 ? 'all that come until its wait ends' : 'none';
  },
  'system attributes are requested by `MessageSystemAttributeNames`': async (on) => {
    const queue = await Queue.make(on);
    await queue.send('x');
    const [message] = await queue.receive({ MessageSystemAttributeNames: ['All'] });
    return message.Attributes?.SentTimestamp !== undefined;
  },
  'a change of visibility does not count as a receive': async (on) => {
    const queue = await Queue.make(on);
    await queue.send('x');
    const [{ ReceiptHandle }] = await queue.receive();
    for (const VisibilityTimeout of [20, 0])
      await queue.ask('ChangeMessageVisibility', { ReceiptHandle, VisibilityTimeout });
    await setTimeout(50);
    const [message] = await queue.receive({ AttributeNames: ['All'] });
    return message.Attributes.ApproximateReceiveCount === '2';
  },
  'counts of visible messages exclude those in flight': async (on) => {
    const queue = await Queue.make(on);
    await queue.send('x');
    await queue.receive();
    return (await queue.count()).visible === 0;
  },
  "a queue's size limit is in bytes": async (on) => {
    const queue = await Queue.make(on, { MaximumMessageSize: '1024' });
    return !(await queue.send('é'.repeat(600)));
  },
  'checksums of attributes are right for all characters': async (on) => {
    const queue = await Queue.make(on);
    const of = async (StringValue: string): Promise<string> => {
      const MessageAttributes = { a: { DataType: 'String', StringValue } };
      const { output } = await queue.ask('SendMessage', { MessageBody: 'x', MessageAttributes });
      return output.MD5OfMessageAttributes;
    };
    expect(await of('e')).toBe(md5OfAttribute('e'));
    return (await of('é')) === md5OfAttribute('é');
  },
  'a message of a FIFO group waits until the one before is gone': async (on) => {
    const queue = await Queue.make(on, fifo);
    for (const body of ['x', 'y']) await queue.send(body, { MessageGroupId: 'g' });
    await queue.receive({ MaxNumberOfMessages: 1 });
    return (await queue.receive({ MaxNumberOfMessages: 1 })).length === 0;
  },
  'a purge takes up to 60 s': async (on) => {
    const queue = await Queue.make(on);
    await queue.send('x');
    await queue.ask('PurgeQueue');
    return (await queue.count()).visible === 1;
  },
  'messages that become visible again are received in no particular order': async (on) => {
    const queue = await Queue.make(on);
    await queue.send('x');
    const [{ ReceiptHandle }] = await queue.receive();
    await queue.send('y');
    await queue.ask('ChangeMessageVisibility', { ReceiptHandle, VisibilityTimeout: 0 });
    await setTimeout(50);
    const [message] = await queue.receive({ MaxNumberOfMessages: 1 });
    return message.Body === 'y' ? 'after the waiting ones' : 'before the waiting ones';
  },
  'a garbage receipt handle fails in a batch delete': async (on) => {
    const queue = await Queue.make(on);
    const Entries = [{ Id: '0', ReceiptHandle: 'garbage' }];
    const { output } = await queue.ask('DeleteMessageBatch', { Entries });
    return output.Failed?.[0] === undefined ? 'success' : `\`${output.Failed[0].Code}\``;
  },
  'a receive on a FIFO queue may return several messages of a group': async (on) => {
    const queue = await Queue.make(on, fifo);
    for (const body of ['x', 'y']) await queue.send(body, { MessageGroupId: 'g' });
    return (await queue.receive()).length > 1 ? 'several' : 'one';
  },
  'eleven attributes are refused': async (on) =>
    accepted(await (await Queue.make(on)).send('x', { MessageAttributes: eleven })),
  'group ids of more than 128 characters are refused': async (on) =>
    accepted(await (await Queue.make(on, fifo)).send('x', { MessageGroupId: 'g'.repeat(129) })),
  'characters beyond U+FFFF (an emoji) in a body are accepted': async (on) =>
    accepted(await (await Queue.make(on)).send('😀')),
  'control characters are refused': async (on) => {
    const queue = await Queue.make(on);
    const MessageAttributes = { a: { DataType: 'String', StringValue: '\u0001' } };
    const [inBody, inAttribute] = [await queue.send('\u0001'), await queue.send('x', { MessageAttributes })];
    if (inBody && inAttribute) return 'accepted in both';
    return inAttribute ? 'accepted in attributes' : 'other';
  },
  "an extension after the lease's end is refused": async (on) => {
    const queue = await Queue.make(on);
    await queue.send('x');
    const [{ ReceiptHandle }] = await queue.receive({ VisibilityTimeout: 1 });
    await setTimeout(1_200);
    return accepted((await queue.ask('ChangeMessageVisibility', { ReceiptHandle, VisibilityTimeout: 9 })).ok);
  },
  'a receive with a visibility of 0 s returns a message once': async (on) => {
    const queue = await Queue.make(on);
    await queue.send('x');
    return (await queue.receive({ VisibilityTimeout: 0 })).length === 1;
  },
  '`StartMessageMoveTask`, refused if no redrive policy names the source': async (on) => {
    const SourceArn = `arn:aws:sqs:eu-west-1:000000000000:${(await Queue.make(on)).name}`;
    const { ok, output } = await on.ask('StartMessageMoveTask', { SourceArn });
    return String(output.message).startsWith('Unknown action') ? 'unknown action' : !ok;
  },
  '`AWSTraceHeader` is kept': async (on) => {
    const queue = await Queue.make(on);
    const AWSTraceHeader = { DataType: 'String', StringValue: 'Root=1-5e3d83c1-e6a0db584850d61342823d4c' };
    await queue.send('x', { MessageSystemAttributes: { AWSTraceHeader } });
    const [{ Attributes }] = await queue.receive({ AttributeNames: ['All'] });
    return Attributes.AWSTraceHeader === undefined ? 'dropped' : true;
  },
  'an extension past 12 hours is refused': async (on) => {
    const queue = await Queue.make(on);
    await queue.send('x');
    const [{ ReceiptHandle }] = await queue.receive();
    await setTimeout(1_200);
    const VisibilityTimeout = 43_200;
    return accepted((await queue.ask('ChangeMessageVisibility', { ReceiptHandle, VisibilityTimeout })).ok);
  },
  'signatures and policies are checked': async (on) =>
    (await (await Queue.make(on)).send('x')) ? 'no' : 'yes',
  'the query protocol': async (on) => {
    const body = new URLSearchParams({ Action: 'ListQueues', Version: '2012-11-05' });
    const answer = await fetch(on.url, { method: 'POST', body });
    return answer.ok && (await answer.text()).includes('<ListQueuesResult>');
  },
  SNS: async (on) => {
    const body = new URLSearchParams({ Action: 'CreateTopic', Name: 'topic', Version: '2010-03-31' });
    return (await fetch(on.url, { method: 'POST', body })).ok;
  },
};

const accepted = (ok: boolean): string => (ok ? 'accepted' : 'refused');

/** The checksum of the attribute `a`, a text, as AWS's documentation defines it. */
function md5OfAttribute(value: string): string {
  const part = (text: string): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(Buffer.byteLength(text));
    return Buffer.concat([length, Buffer.from(text)]);
  };
  const all = [part('a'), part('String'), Buffer.from([1]), part(value)];
  return createHash('md5').update(Buffer.concat(all)).digest('hex');
}

/** The rows without a probe, and why. */
const unprobed: Record<string, string> = {
  'a change of visibility takes effect before it is answered': 'a matter of a millisecond',
  '`StartMessageMoveTask` without a destination fails for letters that a sender put there directly':
    'in test/e2e/second-sqs.test.ts',
  "a deleted queue's name is refused for 60 s": 'a setting of the second emulator',
  'fair queues: messages of quiet groups before those of a busy one': 'not promised for a single receive',
};

test('every row has a probe, or a reason why it has none', () => {
  const [, ...facts] = [...rows.keys()];
  expect([...Object.keys(probes), ...Object.keys(unprobed)].sort()).toEqual(facts.sort());
});

describe.each(names)('the column of %s is true:', (name) => {
  test.each(Object.keys(probes))('%s', async (row) => {
    const seen = await probes[row]?.(emulators[name]);
    const cell = rows.get(row)?.[names.indexOf(name)] ?? '(no such row)';
    if (typeof seen === 'string')
      expect([cell.slice(0, seen.length), cell.charAt(seen.length)]).toEqual([
        seen,
        expect.not.stringMatching(/\w/),
      ]);
    else
      expect(cell.startsWith('yes'), `it ${seen ? 'does' : 'does not'}, the page says: ${cell}`).toBe(seen);
  });
});
