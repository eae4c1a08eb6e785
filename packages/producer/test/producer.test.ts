import { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Cloud, startCloud } from '../../../src/sandbox/cloud.ts';
import { failEntries } from '../../../testing/sqs/faults.ts';
import { type SqsProxy, type SqsRequest, sqsError, startSqsProxy } from '../../../testing/sqs/proxy.ts';
import {
  faultOf,
  type ProducerOptions,
  type TraceContext,
  type Update,
  UpdateProducer,
} from '../src/index.ts';

let cloud: Cloud;
let proxy: SqsProxy;
let client: SQSClient;
beforeAll(async () => {
  cloud = await startCloud({ host: '127.0.0.1', sqsPort: 0, apiPort: 0, token: 't', api: {} });
});
afterAll(() => cloud.close());
beforeEach(async () => {
  proxy = await startSqsProxy(cloud.sqsUrl);
  client = new SQSClient({ ...cloud.client, endpoint: proxy.url, maxAttempts: 1 });
});
afterEach(async () => {
  client.destroy();
  await proxy.close();
});

/** One that waits for nothing and notes how long it would have. */
function producer(options: Partial<ProducerOptions> = {}): { producer: UpdateProducer; waits: number[] } {
  const waits: number[] = [];
  const sleep = async (ms: number): Promise<void> => {
    waits.push(ms);
  };
  const made = new UpdateProducer({
    client,
    queueUrl: cloud.queueUrl,
    random: () => 0.5,
    sleep,
    ...options,
  });
  return { producer: made, waits };
}

interface Entry {
  readonly MessageBody: string;
  readonly [name: string]: unknown;
}

function entriesOf(requests: readonly SqsRequest[]): Entry[] {
  return requests.flatMap(({ input }) => input.Entries as Entry[]);
}

const updates = (count: number): Update[] =>
  Array.from({ length: count }, (_, i) => ({ Identifier: `task${i}`, Description: 'Nightly roll-out 7' }));

describe('send', () => {
  test('sends all updates, ten to a request, and says which message each has become', async () => {
    const report = await producer().producer.send(updates(25));
    expect(report).toMatchObject({ sent: 25, refused: 0, unsent: 0, requests: 3 });
    expect(report).not.toHaveProperty('failure');
    const ids = report.results.map((result) => (result.status === 'sent' ? result.messageId : ''));
    expect(new Set(ids).size).toBe(25);
    expect(proxy.requests.map(({ input }) => (input.Entries as Entry[]).length).sort()).toEqual([10, 10, 5]);
    const bodies = entriesOf(proxy.requests).map(({ MessageBody }) => JSON.parse(MessageBody) as Update);
    expect(bodies).toEqual(expect.arrayContaining(updates(25)));
  });

  test('refuses what is not valid, says why, and sends the others', async () => {
    const good = { Identifier: 'a1', TaskConfigurationId: 'cfgB7' };
    const bad = { Identifier: 'a-1', TaskConfigurationID: 'cfgB7' } as unknown as Update;
    const late = { ...good, IssuedAt: '2026-11-23T07:05:00.001Z' };
    const { producer: careful } = producer({ now: () => Date.parse('2026-11-23T07:00:00Z') });
    const { results, ...counts } = await careful.send([bad, good, late]);
    expect(counts).toEqual({ sent: 1, refused: 2, unsent: 0, requests: 1 });
    expect(results).toEqual([
      { status: 'refused', reason: expect.stringContaining('unknown field "TaskConfigurationID"') },
      { status: 'sent', messageId: expect.any(String) },
      { status: 'refused', reason: expect.stringContaining('more than 5 minutes') },
    ]);
  });

  const valid = { Identifier: 'a1', Description: 'x' };
  const cyclic: Record<string, unknown> = { ...valid };
  cyclic.Description = cyclic;
  const torn = {
    ...valid,
    get Description(): string {
      throw new Error('torn\n');
    },
  };
  const fault = (thrown: unknown): object => ({
    get Identifier(): string {
      throw thrown;
    },
  });
  const hostile = new Proxy({}, { getPrototypeOf: () => fault(null), ownKeys: () => [1] as never });
  test.each<[string, unknown, string]>([
    ['null', null, 'not a JSON object'],
    ['undefined', undefined, 'not a JSON object'],
    ['a number', 5, 'not a JSON object'],
    ['a list', [1], 'not a JSON object'],
    ['a text', 'abc', 'not a JSON object'],
    ['a function', () => valid, 'not a JSON object'],
    ['a BigInt', 5n, 'not a JSON object'],
    ['a getter that throws', torn, 'cannot be read: a field of it throws'],
    ['one that throws nothing that can be said', fault(null), 'cannot be read: a field of it throws'],
    [
      'one that throws what cannot become a text',
      fault(Object.create(null)),
      'cannot be read: a field of it throws',
    ],
    ['a proxy that breaks its word', hostile, 'cannot be read: a field of it throws'],
    ['a BigInt for a text', { ...valid, Description: 5n }, 'Description: is a number: put it in quotes'],
    ['a symbol for a text', { ...valid, Description: Symbol('x') }, 'Description: is a symbol, not a text'],
    ['a date', { ...valid, IssuedAt: new Date(0) }, 'IssuedAt: is an object, not a text'],
    ['what holds itself', cyclic, 'Description: is an object, not a text'],
    ['a field named by a symbol', { [Symbol('Identifier')]: 'a1' }, 'Identifier: is missing'],
  ])('refuses what is no update at all, and sends the others: %s', async (_, bad, reason) => {
    const { results } = await producer().producer.send([valid, bad as Update, valid]);
    const sent = { status: 'sent', messageId: expect.any(String) };
    expect(results).toEqual([sent, { status: 'refused', reason: expect.stringContaining(reason) }, sent]);
    expect(faultOf(bad, 0)).toContain(reason);
  });

  test('sends only what SQS did not take again, after a backoff with full jitter', async () => {
    const seen = new Set<string>();
    proxy.rule = failEntries(({ MessageBody }) => {
      const first = !seen.has(String(MessageBody));
      seen.add(String(MessageBody));
      return first && String(MessageBody).includes('task3')
        ? { code: 'RequestThrottled', senderFault: true }
        : undefined;
    });
    const { producer: patient, waits } = producer();
    const report = await patient.send(updates(10));
    expect(report).toMatchObject({ sent: 10, requests: 2 });
    expect(proxy.requests.map(({ input }) => (input.Entries as Entry[]).length)).toEqual([10, 1]);
    // Half of 200 ms: the random number is 0.5.
    expect(waits).toEqual([100]);
  });

  test('refuses what SQS will never accept, and sends the others', async () => {
    proxy.rule = failEntries(({ MessageBody }) =>
      String(MessageBody).includes('task3')
        ? { code: 'InvalidMessageContents', senderFault: true }
        : undefined,
    );
    const report = await producer().producer.send(updates(10));
    expect(report).toMatchObject({ sent: 9, refused: 1, unsent: 0 });
    expect(report.results[3]).toEqual({
      status: 'refused',
      reason: 'SQS: InvalidMessageContents injected: InvalidMessageContents',
    });
  });

  test('gives up after six tries without progress, and says what may have arrived', async () => {
    proxy.rule = () => 'reset';
    const { producer: patient, waits } = producer();
    const report = await patient.send(updates(2));
    expect(report).toMatchObject({
      sent: 0,
      unsent: 2,
      requests: 6,
      failure: expect.stringContaining('6 times'),
    });
    expect(report.results).toEqual(Array(2).fill({ status: 'unsent', mayHaveArrived: true }));
    expect(waits).toEqual([100, 200, 400, 800, 1_600]);
  });

  test('says of what no answer names that it may have arrived', async () => {
    proxy.rule = () => ({ status: 200, output: {} });
    const { results, failure } = await producer().producer.send(updates(2));
    expect(failure).toMatch(/does not name the entry/);
    expect(results).toEqual(Array(2).fill({ status: 'unsent', mayHaveArrived: true }));
  });

  test('sends again what SQS did not read in time', async () => {
    const answers = [sqsError(408, 'RequestTimeout', 'slow')];
    proxy.rule = (_request, forward) => answers.pop() ?? forward();
    expect(await producer().producer.send(updates(1))).toMatchObject({ sent: 1, requests: 2 });
  });

  test('ends at once where trying again is no use, and names the fix', async () => {
    proxy.rule = () => sqsError(403, 'AccessDenied', 'not you');
    const report = await producer().producer.send(updates(1));
    expect(report).toMatchObject({
      unsent: 1,
      requests: 1,
      failure: expect.stringContaining('sqs:SendMessage'),
    });
  });

  test('stops when it is told to', async () => {
    const stop = new AbortController();
    proxy.rule = async (_request, forward) => {
      const answer = await forward();
      stop.abort();
      return answer;
    };
    const { sent, unsent, results } = await producer().producer.send(updates(200), { signal: stop.signal });
    expect(sent + unsent).toBe(200);
    expect(unsent).toBeGreaterThan(0);
    expect(results.at(-1)).toEqual({ status: 'unsent', mayHaveArrived: false });
  });
});

describe('a FIFO queue', () => {
  test('gets groups by task, and a deduplication id that a name for the call makes last', async () => {
    proxy.rule = ({ input }) => ({
      status: 200,
      output: {
        Successful: (input.Entries as { Id: string }[]).map(({ Id }) => ({ Id, MessageId: `m${Id}` })),
        Failed: [],
      },
    });
    const { producer: fifo } = producer({ queueUrl: `${cloud.sqsUrl}/000000000000/updates.fifo` });
    for (const sendId of ['night-1', 'night-1', undefined])
      await fifo.send(updates(1), sendId === undefined ? {} : { sendId });
    const ids = entriesOf(proxy.requests).map((entry) => entry.MessageDeduplicationId);
    expect(ids[0]).toBe(ids[1]);
    expect(ids[2]).not.toBe(ids[0]);
    expect(entriesOf(proxy.requests)[0]).toMatchObject({ MessageGroupId: 'task0' });
  });
});

describe('trace context', () => {
  test('whose reading throws fails no update', async () => {
    const options = {
      get trace(): TraceContext {
        throw new Error('no context');
      },
    };
    expect(await producer().producer.send(updates(1), options)).toMatchObject({ sent: 1 });
  });

  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const AWSTraceHeader = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';

  test('goes with every update', async () => {
    const trace = { traceparent, tracestate: 'vendor=1', AWSTraceHeader };
    await producer().producer.send(updates(2), { trace });
    const expected = {
      MessageAttributes: {
        traceparent: { DataType: 'String', StringValue: traceparent },
        tracestate: { DataType: 'String', StringValue: 'vendor=1' },
      },
      MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: AWSTraceHeader } },
    };
    expect(entriesOf(proxy.requests)).toEqual(Array(2).fill(expect.objectContaining(expected)));
  });

  test('may be another one for each update, or none', async () => {
    await producer().producer.send(updates(2), {
      trace: (_, index) => (index === 0 ? { traceparent } : undefined),
    });
    const [first, second] = entriesOf(proxy.requests);
    expect(first?.MessageAttributes).toHaveProperty('traceparent');
    expect(second).not.toHaveProperty('MessageAttributes');
  });

  test.each([
    ['a traceparent that is none', { traceparent: '00-1-2-01', tracestate: 'vendor=1' }],
    ['a state of nothing', { tracestate: 'vendor=1' }],
    ['a line break', { traceparent: `${traceparent}\n`, AWSTraceHeader: 'Root=1\r\n' }],
    ['nothing', {}],
    ['no texts', { traceparent: 5, tracestate: [], AWSTraceHeader: 5 } as unknown as TraceContext],
    ['null for texts', { traceparent: null, AWSTraceHeader: null } as unknown as TraceContext],
    ['null', null as unknown as TraceContext],
    ['a text', traceparent as unknown as TraceContext],
    [
      'a field that throws',
      {
        get traceparent(): string {
          throw new Error('no context');
        },
      },
    ],
    [
      'a function that throws',
      () => {
        throw new Error('no context');
      },
    ],
  ])('is left out where it is not well formed: %s', async (_, trace) => {
    const report = await producer().producer.send(updates(1), { trace });
    expect(report.sent).toBe(1);
    const [entry] = entriesOf(proxy.requests);
    expect(Object.keys(entry ?? {}).sort()).toEqual(['Id', 'MessageBody']);
  });
});
