import { describe, expect, test } from 'vitest';
import type { QueueAttributes } from '../../../src/queue/types.ts';
import {
  changesOf,
  factsOf,
  type KnownQueue,
  type QueueSetting,
  sameQueues,
} from '../../../src/worker/receive/queue-facts.ts';

const attributes = (over: Partial<QueueAttributes> = {}): QueueAttributes => ({
  arn: 'arn:aws:sqs:eu-west-1:000000000000:updates',
  fifo: false,
  retentionSeconds: 3_600,
  visibilitySeconds: 30,
  maximumMessageBytes: 262_144,
  redrivePolicy: undefined,
  visible: 0,
  notVisible: 0,
  delayed: 0,
  contentBasedDeduplication: false,
  createdAt: 1,
  kmsKeyId: undefined,
  ...over,
});

const known = (setting: QueueSetting, name: string, over?: Partial<QueueAttributes>): KnownQueue => ({
  setting,
  queue: {
    url: `https://sqs.eu-west-1.amazonaws.com/000000000000/${name}`,
    fifo: name.endsWith('.fifo'),
    attributes: () => Promise.reject(new Error('not asked')),
  },
  attributes: over === undefined ? undefined : attributes(over),
  readAt: over === undefined ? undefined : 5_000,
});

describe('facts', () => {
  test('are retention, size and kind', () => {
    expect(
      factsOf([known('QUEUE_URL', 'updates', {}), known('DEAD_LETTER_QUEUE_URL', 'dead.fifo', {})]),
    ).toEqual({ retentionSeconds: 3_600, deadLetter: { maximumMessageBytes: 262_144, fifo: true } });
  });

  test('know the kind of the outcome queue, where there is one', () => {
    expect(factsOf([known('OUTCOME_QUEUE_URL', 'outcomes.fifo')])).toMatchObject({ outcome: { fifo: true } });
  });

  const assumed = { retentionSeconds: 345_600, deadLetter: { maximumMessageBytes: 1_048_576 } };
  test.each([
    ['may not be read', undefined],
    ['are missing', { retentionSeconds: undefined, maximumMessageBytes: undefined }],
    ['are no numbers', { retentionSeconds: Number.NaN, maximumMessageBytes: Number.NaN }],
    ['are impossible', { retentionSeconds: 0, maximumMessageBytes: -1 }],
  ])('are SQS’s defaults where attributes %s', (_, over) => {
    expect(
      factsOf([known('QUEUE_URL', 'updates', over), known('DEAD_LETTER_QUEUE_URL', 'dead', over)]),
    ).toMatchObject(assumed);
  });
});

describe('changes', () => {
  test('are none where only counts differ', () => {
    expect(changesOf(attributes(), attributes({ visible: 7, delayed: 1, notVisible: 2 }))).toEqual({});
  });

  test('have the old and the new value, and null for none', () => {
    expect(
      changesOf(attributes(), attributes({ retentionSeconds: 60, createdAt: 2, kmsKeyId: 'alias/key' })),
    ).toEqual({
      retentionSeconds: { from: 3_600, to: 60 },
      createdAt: { from: 1, to: 2 },
      kmsKeyId: { from: null, to: 'alias/key' },
    });
  });

  test('are what differs from what was assumed, where nothing was known', () => {
    expect(changesOf(undefined, attributes({ maximumMessageBytes: 1_048_576 }))).toEqual({
      retentionSeconds: { from: 345_600, to: 3_600 },
    });
  });
});

test('queues are the same by ARN, and by URL where an ARN is not known; each is told once, with the other', () => {
  const arn = attributes().arn;
  const messages = (queues: readonly KnownQueue[]) => sameQueues(queues).map(({ message }) => message);
  expect(
    messages([
      known('QUEUE_URL', 'updates', {}),
      known('DEAD_LETTER_QUEUE_URL', 'alias', {}),
      known('OUTCOME_QUEUE_URL', 'updates'),
    ]),
  ).toEqual([
    `DEAD_LETTER_QUEUE_URL is the same queue as QUEUE_URL (${arn}): use a different queue`,
    'OUTCOME_QUEUE_URL is the same queue as QUEUE_URL: use a different queue',
  ]);
  expect(
    messages([known('QUEUE_URL', 'updates', {}), known('DEAD_LETTER_QUEUE_URL', 'dead', { arn: 'other' })]),
  ).toEqual([]);
});
