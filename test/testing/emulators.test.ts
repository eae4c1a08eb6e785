/** The table of docs/emulators.md, row by row, on both emulators without the layers that our tests put in front of them. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageCommand,
  type SendMessageCommandInput,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BareEmulator, startBareFauxqs, startBareLocalSqs } from '../../testing/sqs/bare-emulators.ts';

const page = readFileSync(new URL('../../docs/emulators.md', import.meta.url), 'utf8');
/** The cells of each row, by the first one. */
const rows = new Map(
  [...page.matchAll(/^\| (.+?) \| (.+) \| (.+) \|$/gm)].map(([, aws = '', first = '', second = '']) => [
    aws,
    [first, second] as const,
  ]),
);

const names = ['fauxqs', 'local-aws-sqs'] as const;
const emulators = {} as Record<(typeof names)[number], BareEmulator>;

beforeAll(async () => {
  emulators.fauxqs = await startBareFauxqs();
  emulators['local-aws-sqs'] = await startBareLocalSqs();
});
afterAll(async () => {
  for (const { close } of Object.values(emulators)) await close();
});

type Without<Input> = Omit<Input, 'QueueUrl'>;
let made = 0;

/** A new queue, with what a row needs of it. */
class Queue {
  readonly #on: BareEmulator;
  readonly name: string;
  readonly #url: string;

  private constructor(on: BareEmulator, name: string) {
    this.#on = on;
    this.name = name;
    this.#url = `${on.url}/000000000000/${name}`;
  }

  static async make(on: BareEmulator, Attributes: Record<string, string> = {}): Promise<Queue> {
    const QueueName = `queue-${++made}${Attributes.FifoQueue === undefined ? '' : '.fifo'}`;
    await on.sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
    return new Queue(on, QueueName);
  }

  send(MessageBody: string, input: Partial<SendMessageCommandInput> = {}) {
    return this.#on.sqs.send(new SendMessageCommand({ QueueUrl: this.#url, MessageBody, ...input }));
  }

  async receive(
    input: Partial<Without<ReceiveMessageCommandInput>> = {},
    abortSignal = new AbortController().signal,
  ): Promise<Message[]> {
    const receive = { QueueUrl: this.#url, MaxNumberOfMessages: 10, ...input };
    return (await this.#on.sqs.send(new ReceiveMessageCommand(receive), { abortSignal })).Messages ?? [];
  }

  /** One message, which must be there. */
  async receiveOne(input: Partial<Without<ReceiveMessageCommandInput>> = {}): Promise<Message> {
    const [message] = await this.receive({ MaxNumberOfMessages: 1, ...input });
    if (message === undefined) throw new Error('there is no message');
    return message;
  }

  changeVisibility({ ReceiptHandle }: Message, VisibilityTimeout: number) {
    const input = { QueueUrl: this.#url, ReceiptHandle, VisibilityTimeout };
    return this.#on.sqs.send(new ChangeMessageVisibilityCommand(input));
  }

  purge() {
    return this.#on.sqs.send(new PurgeQueueCommand({ QueueUrl: this.#url }));
  }

  deleteBatch(handles: readonly string[]) {
    const Entries = handles.map((ReceiptHandle, i) => ({ Id: String(i), ReceiptHandle }));
    return this.#on.sqs.send(new DeleteMessageBatchCommand({ QueueUrl: this.#url, Entries }));
  }

  async count(): Promise<{ readonly visible: number; readonly inFlight: number }> {
    const input = { QueueUrl: this.#url, AttributeNames: ['All' as const] };
    const { Attributes = {} } = await this.#on.sqs.send(new GetQueueAttributesCommand(input));
    return {
      visible: Number(Attributes.ApproximateNumberOfMessages),
      inFlight: Number(Attributes.ApproximateNumberOfMessagesNotVisible),
    };
  }
}

/** What became of a request. */
const outcome = (request: Promise<unknown>): Promise<'accepted' | 'refused'> =>
  request.then(
    () => 'accepted',
    () => 'refused',
  );
/** Resolves when a long poll of so many seconds ends that nothing comes to: the emulator's own time has passed. */
const afterAPoll = async (on: BareEmulator, WaitTimeSeconds: number): Promise<void> => {
  await (await Queue.make(on)).receive({ WaitTimeSeconds });
};

const fifo = { FifoQueue: 'true', ContentBasedDeduplication: 'true' };
const text = (StringValue: string) => ({ DataType: 'String', StringValue });
const eleven = Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`a${i}`, text('x')]));

/**
 * For each row: what an emulator does. Its cell begins with a text that is given here, and with `yes` if and only if `true` is
 * given.
 */
const probes: Record<string, (on: BareEmulator) => Promise<string | boolean>> = {
  'a long poll ends when a message comes': async (on) => {
    const queue = await Queue.make(on);
    const waits = on.arrival('ReceiveMessage');
    const received = queue.receive({ WaitTimeSeconds: 2 }).then((messages) => ({ messages }));
    await waits;
    await queue.send('x');
    // Half the time of the first poll: whichever ends first.
    const half = afterAPoll(on, 1);
    const first = await Promise.race([received, half]);
    expect((await received).messages).toHaveLength(1);
    await half;
    return first !== undefined;
  },
  'a receive that its client aborts may leave up to ten messages in flight': async (on) => {
    const queue = await Queue.make(on);
    const abort = new AbortController();
    const waits = on.arrival('ReceiveMessage');
    const received = outcome(queue.receive({ WaitTimeSeconds: 2 }, abort.signal));
    const { socket } = await waits;
    const isOver = afterAPoll(on, 2);
    const closed = once(socket, 'close');
    abort.abort();
    expect(await received).toBe('refused');
    await closed;
    await queue.send('x');
    // It is taken by the one that was aborted, or by this one.
    const during: Message[] = [];
    await expect
      .poll(async () => during.push(...(await queue.receive())) || (await queue.count()).inFlight)
      .toBe(1);
    await isOver;
    await queue.send('y');
    expect((await queue.receive()).map(({ Body }) => Body)).toEqual(['y']);
    return during.length === 0 ? 'all that come until its wait ends' : 'none';
  },
  'system attributes are requested by `MessageSystemAttributeNames`': async (on) => {
    const queue = await Queue.make(on);
    await queue.send('x');
    const { Attributes } = await queue.receiveOne({ MessageSystemAttributeNames: ['All'] });
    return Attributes?.SentTimestamp !== undefined;
  },
  'a change of visibility does not count as a receive': async (on) => {
    const queue = await Queue.make(on);
    await queue.send('x');
    const message = await queue.receiveOne();
    for (const seconds of [20, 0]) await queue.changeVisibility(message, seconds);
    const again: Message[] = [];
    await expect
      .poll(async () => again.push(...(await queue.receive({ AttributeNames: ['All'] }))))
      .toBeGreaterThan(0);
    return again[0]?.Attributes?.ApproximateReceiveCount === '2';
  },
  'counts of visible messages exclude those in flight': async (on) => {
    const queue = await Queue.make(on);
    await queue.send('x');
    await queue.receiveOne();
    return (await queue.count()).visible === 0;
  },
  "a queue's size limit is in bytes": async (on) => {
    const queue = await Queue.make(on, { MaximumMessageSize: '1024' });
    return (await outcome(queue.send('é'.repeat(600)))) === 'refused';
  },
  'checksums of attributes are right for all characters': async (on) => {
    const queue = await Queue.make(on);
    const of = async (value: string) =>
      (await queue.send('x', { MessageAttributes: { a: text(value) } })).MD5OfMessageAttributes;
    expect(await of('e')).toBe(md5OfAttribute('e'));
    return (await of('é')) === md5OfAttribute('é');
  },
  'a message of a FIFO group waits until the one before is gone': async (on) => {
    const queue = await Queue.make(on, fifo);
    for (const body of ['x', 'y']) await queue.send(body, { MessageGroupId: 'g' });
    await queue.receiveOne();
    return (await queue.receive({ MaxNumberOfMessages: 1 })).length === 0;
  },
  'a purge takes up to 60 s': async (on) => {
    const queue = await Queue.make(on);
    await queue.send('x');
    await queue.purge();
    return (await queue.count()).visible === 1;
  },
  'messages that become visible again are received in no particular order': async (on) => {
    const queue = await Queue.make(on);
    await queue.send('x');
    const message = await queue.receiveOne();
    await queue.send('y');
    await queue.changeVisibility(message, 0);
    await expect.poll(() => queue.count()).toEqual({ visible: 2, inFlight: 0 });
    return (await queue.receiveOne()).Body === 'y' ? 'after the waiting ones' : 'before the waiting ones';
  },
  'a garbage receipt handle fails in a batch delete': async (on) => {
    const { Failed: [failed] = [] } = await (await Queue.make(on)).deleteBatch(['garbage']);
    return failed === undefined ? 'success' : `\`${failed.Code}\``;
  },
  'a receive on a FIFO queue may return several messages of a group': async (on) => {
    const queue = await Queue.make(on, fifo);
    for (const body of ['x', 'y']) await queue.send(body, { MessageGroupId: 'g' });
    return (await queue.receive()).length > 1 ? 'several' : 'one';
  },
  'eleven attributes are refused': async (on) =>
    outcome((await Queue.make(on)).send('x', { MessageAttributes: eleven })),
  'group ids of more than 128 characters are refused': async (on) =>
    outcome((await Queue.make(on, fifo)).send('x', { MessageGroupId: 'g'.repeat(129) })),
  'characters beyond U+FFFF (an emoji) in a body are accepted': async (on) =>
    outcome((await Queue.make(on)).send('😀')),
  'control characters are refused': async (on) => {
    const queue = await Queue.make(on);
    const inBody = await outcome(queue.send('\u0001'));
    const inAttribute = await outcome(queue.send('x', { MessageAttributes: { a: text('\u0001') } }));
    if (inAttribute === 'refused') return 'other';
    return inBody === 'accepted' ? 'accepted in both' : 'accepted in attributes';
  },
  "an extension after the lease's end is refused": async (on) => {
    const queue = await Queue.make(on);
    await queue.send('x');
    const message = await queue.receiveOne({ VisibilityTimeout: 1 });
    await afterAPoll(on, 1);
    return outcome(queue.changeVisibility(message, 9));
  },
  'a receive with a visibility of 0 s returns a message once': async (on) => {
    const queue = await Queue.make(on);
    await queue.send('x');
    return (await queue.receive({ VisibilityTimeout: 0 })).length === 1;
  },
  '`StartMessageMoveTask`, refused if no redrive policy names the source': async (on) => {
    const SourceArn = `arn:aws:sqs:eu-west-1:000000000000:${(await Queue.make(on)).name}`;
    return on.sqs.send(new StartMessageMoveTaskCommand({ SourceArn })).then(
      () => false,
      (error: Error) => (error.message.startsWith('Unknown action') ? 'unknown action' : true),
    );
  },
  '`AWSTraceHeader` is kept': async (on) => {
    const queue = await Queue.make(on);
    const AWSTraceHeader = text('Root=1-5e3d83c1-e6a0db584850d61342823d4c');
    await queue.send('x', { MessageSystemAttributes: { AWSTraceHeader } });
    const { Attributes } = await queue.receiveOne({ AttributeNames: ['All'] });
    return Attributes?.AWSTraceHeader === undefined ? 'dropped' : true;
  },
  'an extension past 12 hours is refused': async (on) => {
    const queue = await Queue.make(on);
    await queue.send('x');
    const message = await queue.receiveOne();
    await afterAPoll(on, 1);
    return outcome(queue.changeVisibility(message, 43_200));
  },
  'signatures and policies are checked': async (on) =>
    (await outcome((await Queue.make(on)).send('x'))) === 'accepted' ? 'no' : 'yes',
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

/** The checksum of the attribute `a`, a text, as AWS's documentation defines it. */
function md5OfAttribute(value: string): string {
  const part = (of: string): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(Buffer.byteLength(of));
    return Buffer.concat([length, Buffer.from(of)]);
  };
  const all = [part('a'), part('String'), Buffer.from([1]), part(value)];
  return createHash('md5').update(Buffer.concat(all)).digest('hex');
}

/** The rows without a probe, and why. */
const unprobed: Record<string, string> = {
  'a change of visibility takes effect before it is answered': 'a matter of a millisecond',
  'a message can be received when its send is answered':
    'a matter of a millisecond; behind the shim in second-sqs.test.ts',
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
