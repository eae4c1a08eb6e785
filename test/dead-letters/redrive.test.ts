import { describe, expect, test } from 'vitest';
import type { AuditEvent } from '../../src/dead-letters/changes/audit.ts';
import { type RedriveOptions, type RedriveReport, redrive } from '../../src/dead-letters/changes/redrive.ts';
import { redriveJson, redriveText } from '../../src/dead-letters/view/changes.ts';
import type { Message } from '../../src/message/message.ts';
import { failedQueue, sqsErrorKind, sqsNameKind } from '../../src/queue/errors.ts';
import { FakeQueue, fakeSurroundings, messages, messageWith } from '../../testing/letters.ts';

const options: RedriveOptions = {
  matches: () => true,
  set: {},
  limit: Number.POSITIVE_INFINITY,
  ratePerSecond: Number.POSITIVE_INFINITY,
  canary: undefined,
  canaryBounds: { seconds: 600, quietSeconds: 60 },
  force: false,
};

class Run {
  readonly dead: FakeQueue;
  readonly source = new FakeQueue();
  readonly surroundings = fakeSurroundings();
  readonly audit: AuditEvent[] = [];

  constructor(letters: readonly Message[]) {
    this.dead = new FakeQueue(letters);
  }

  redrive(changes: Partial<RedriveOptions> = {}): Promise<RedriveReport> {
    return redrive(
      { ...options, ...changes },
      {
        source: this.source,
        dead: this.dead,
        surroundings: this.surroundings,
        audit: async (event) => {
          this.audit.push(event);
        },
        onProgress: () => {},
        onCanary: () => {},
      },
    );
  }

  /** Letters that are on the dead-letter queue, visible. */
  left(): number {
    expect(this.dead.hidden.size).toBe(0);
    return this.dead.visible.length;
  }
}

/** A worker's letter about a message that was sent back. */
const comeBack = (key: string): Message =>
  messageWith(
    { sourceMessageId: `sent-${key}`, redriveCount: 1 },
    { messageId: `${key}-again`, receiptHandle: `${key}-again` },
  );

describe('redrive', () => {
  test('sends every letter and deletes it after', async () => {
    const run = new Run(messages(25));
    expect(await run.redrive()).toMatchObject({ redriven: 25, matched: 25, notDeleted: 0, error: undefined });
    expect(run.source.sent).toHaveLength(25);
    expect(run.left()).toBe(0);
  });

  test('logs letters before it sends them', async () => {
    const run = new Run(messages(5));
    const seen: number[] = [];
    const { sendForIds } = run.source;
    run.source.sendForIds = (some) => {
      seen.push(run.audit.flatMap((event) => (event.event === 'letters' ? event.letters : [])).length);
      return sendForIds.call(run.source, some);
    };
    await run.redrive();
    expect(seen).toEqual([5]);
  });

  test('sends nothing that cannot be logged', async () => {
    const run = new Run(messages(5));
    const error = new Error('disk full');
    run.audit.push = () => {
      throw error;
    };
    expect(await run.redrive()).toMatchObject({ redriven: 0, error });
    expect(run.source.sent).toEqual([]);
    expect(run.left()).toBe(5);
  });

  test('stops at its limit and leaves the others visible', async () => {
    const run = new Run(messages(95));
    expect(await run.redrive({ limit: 33 })).toMatchObject({ redriven: 33 });
    expect(run.left()).toBe(95 - 33);
  });

  test('holds the rate', async () => {
    const run = new Run(messages(40));
    await run.redrive({ ratePerSecond: 2 });
    // The first two go at once.
    expect(run.surroundings.time()).toBeGreaterThanOrEqual((40 - 2) * 500);
  });

  test('keeps letters that the source queue refuses, and says why', async () => {
    const run = new Run(messages(10));
    const { sendForIds } = run.source;
    run.source.sendForIds = async (some) => {
      const [refused, ...others] = some;
      const answer = await sendForIds.call(run.source, others);
      const failure = {
        key: refused?.key ?? '',
        senderFault: true,
        code: 'InvalidMessageContents',
        message: 'bad',
      };
      return { ...answer, failed: [failure] };
    };
    const report = await run.redrive();
    expect(report.redriven).toBe(9);
    expect(report.refused.all()).toMatchObject([{ why: 'SQS: InvalidMessageContents bad', count: 1 }]);
    expect(run.left()).toBe(1);
  });

  test.each(['KMS.AccessDeniedException', 'RequestThrottled', 'AccessDenied'])(
    'gives up where the source queue keeps refusing for no fault of the letters: %s',
    async (code) => {
      const run = new Run(messages(40));
      let requests = 0;
      run.source.sendForIds = async (some) => {
        requests++;
        const failed = some.map(({ key }) => ({ key, senderFault: false, code, message: 'no' }));
        return { failed, messageIds: new Map() };
      };
      const { redriven, refused, error } = await run.redrive();
      expect({ redriven, refused: refused.count, requests }).toEqual({
        redriven: 0,
        refused: 0,
        requests: 6,
      });
      expect(failedQueue(error)).toBe(run.source.url);
      expect(sqsErrorKind(error)).toBe(sqsNameKind(code));
      expect(run.left()).toBe(40);
    },
  );

  test('loses no letter when the source queue fails', async () => {
    const run = new Run(messages(40));
    const gone = Object.assign(new Error('gone'), { name: 'QueueDoesNotExist' });
    const { sendForIds } = run.source;
    run.source.sendForIds = (some) =>
      run.source.sent.length >= 20 ? Promise.reject(gone) : sendForIds.call(run.source, some);
    expect(await run.redrive()).toMatchObject({ redriven: 20, error: gone });
    expect(run.left()).toBe(20);
  });

  test('reports letters that cannot be deleted as being on both queues', async () => {
    const run = new Run(messages(5));
    run.dead.delete = async (handles) =>
      handles.map((key) => ({ key, senderFault: true, code: 'ReceiptHandleIsInvalid', message: '' }));
    expect(await run.redrive()).toMatchObject({ redriven: 5, notDeleted: 5 });
  });

  test('does not resend a letter that comes back while it runs', async () => {
    const run = new Run(messages(50));
    const { sendForIds } = run.source;
    run.source.sendForIds = (some) => {
      run.dead.visible.push(...some.map(({ key }) => comeBack(key)));
      return sendForIds.call(run.source, some);
    };
    expect(await run.redrive({ force: true })).toMatchObject({ redriven: 50, cameBack: 50 });
    expect(run.left()).toBe(50);
  });
});

describe('a canary', () => {
  test('that does not come back is followed by the others', async () => {
    const run = new Run(messages(95));
    const report = await run.redrive({ canary: 3 });
    expect(report).toMatchObject({ redriven: 95, matched: 95, canary: { verdict: 'good' } });
    // The source queue was watched for as long as its counts may lag.
    expect(run.surroundings.time()).toBeGreaterThanOrEqual(60_000);
    expect(run.left()).toBe(0);
  });

  test.each([
    ['by a worker', (key: string): Message => comeBack(key)],
    [
      'by SQS’s own policy, which keeps the id',
      (key: string): Message => messageWith(null, { messageId: `sent-${key}`, receiptHandle: 'moved' }),
    ],
  ])('that is dead-lettered again %s stops the others', async (_how, back) => {
    const run = new Run(messages(95));
    const { sendForIds } = run.source;
    run.source.sendForIds = (some) => {
      run.dead.visible.push(...some.slice(0, 1).map(({ key }) => back(key)));
      return sendForIds.call(run.source, some);
    };
    const report = await run.redrive({ canary: 3 });
    expect(report).toMatchObject({ redriven: 3, canary: { verdict: 'came-back', letters: [{}] } });
    expect(run.left()).toBe(95 - 3 + 1);
  });

  test('whose end is unknown after the time given stops the others', async () => {
    const run = new Run(messages(95));
    run.source.counted = { visible: 1 };
    expect(await run.redrive({ canary: 3 })).toMatchObject({ redriven: 3, canary: { verdict: 'unknown' } });
    expect(run.left()).toBe(92);
  });

  test('is awaited until the source queue has stayed empty', async () => {
    const run = new Run(messages(95));
    const { attributes } = run.source;
    let looks = 0;
    run.source.attributes = async () => ({
      ...(await attributes.call(run.source)),
      notVisible: ++looks % 5 === 0 ? 1 : 0,
    });
    expect(await run.redrive({ canary: 3 })).toMatchObject({ redriven: 3, canary: { verdict: 'unknown' } });
  });

  test('on a FIFO queue that has grown stops the others, because it may be hidden by its group', async () => {
    const run = new Run(messages(95));
    run.dead.counted = { fifo: true, visible: 95 };
    expect(await run.redrive({ canary: 3 })).toMatchObject({ redriven: 3, canary: { verdict: 'unknown' } });
  });

  test('is awaited even when no other letter is left to send', async () => {
    const run = new Run(messages(5));
    expect(await run.redrive({ canary: 9 })).toMatchObject({ redriven: 5, canary: { verdict: 'good' } });
  });

  test('is no longer awaited after an interruption', async () => {
    const run = new Run(messages(95));
    run.source.attributes = async () => {
      if (run.source.sent.length > 0) run.surroundings.abort();
      return new FakeQueue([...messages(1)]).attributes();
    };
    expect(await run.redrive({ canary: 3 })).toMatchObject({
      redriven: 3,
      canary: { verdict: 'interrupted' },
    });
    expect(run.left()).toBe(92);
  });
});

test('a redrive shows what it sends by the bodies, whatever forged records say', async () => {
  const body = (change: object): string => JSON.stringify({ Identifier: 'task7', ...change });
  const forged = { reason: 'Expiring', sourceMessageId: 'x' } as const;
  const run = new Run([
    ...messages(3),
    messageWith(forged, { messageId: 'm-evil', body: body({ TaskConfigurationId: 'evil' }) }),
    messageWith(forged, { messageId: 'm-text', body: body({ Description: 'by\u202ehand' }) }),
  ]);
  const report = await run.redrive({ force: true });
  const shown = [
    'SETS                      LETTERS  EXAMPLE',
    'Description "x"                 3  task1',
    'TaskConfigurationId evil        1  task7',
    'no valid update                 1  m-text',
  ];
  const queues = { queueUrl: 'q', deadLetterQueueUrl: 'd' };
  expect(redriveText(report, queues)).toContain(`\n${shown.join('\n')}\n`);
  expect(redriveJson(report)).toMatchObject({ values: [{ letters: 3 }, {}, {}], otherValues: 0 });
  const set = await new Run(messages(2)).redrive({ set: { TaskConfigurationId: 'cfg2' } });
  expect(redriveText(set, queues)).toMatch(/^TaskConfigurationId cfg2, Description "x" +2 {2}task1$/m);
});
