import { describe, expect, test } from 'vitest';
import type { DeadLetter } from '../../src/message/dead-letter.ts';
import type { Failure } from '../../src/message/failure.ts';
import { logEvents } from '../../src/observe/log-events.ts';
import { createLogger } from '../../src/observe/logger.ts';
import type { Subject, WorkerEvent } from '../../src/worker/events.ts';

const subject: Subject = {
  message: {
    messageId: 'message-1',
    receiptHandle: 'a-receipt-handle',
    body: 'the-body',
    attributes: {},
    sentAt: 0,
    receiveCount: 3,
    receivedAt: 0,
  },
  ids: { identifier: 'task1', jobId: 'job-1', requestId: 'row-1' },
};
const who = {
  identifier: 'task1',
  jobId: 'job-1',
  requestId: 'row-1',
  messageId: 'message-1',
  receiveCount: 3,
};

const failure: Failure = {
  kind: 'retryable',
  name: 'InternalServerException',
  message: 'An internal error occurred',
  status: 500,
  requestId: 'aws-1',
};
const what = {
  failure: 'retryable',
  status: 500,
  errorName: 'InternalServerException',
  errorMessage: 'An internal error occurred',
  awsRequestId: 'aws-1',
};

/** The lines that `event` makes at `level`. */
function linesOf(event: WorkerEvent, level = 'trace'): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger(level, { write: (line) => void lines.push(JSON.parse(line)) });
  logEvents(log)(event);
  return lines;
}

const attempt = (over: Partial<Failure> = {}): WorkerEvent => ({
  type: 'attempt',
  subject,
  attempt: 2,
  durationMs: 12.6,
  failure: { ...failure, ...over },
});

const record: DeadLetter['record'] = {
  reason: 'Rejected',
  error: { name: 'ResourceNotFoundException', status: 404, message: 'not found', requestId: 'aws-1' },
  attempts: 1,
  receiveCount: 3,
  sentAt: '2026-11-23T07:00:00.000Z',
  deadLetteredAt: '2026-11-23T07:00:01.000Z',
  sourceMessageId: 'message-1',
  sourceQueueUrl: 'https://sqs.example/updates',
  redriveCount: 0,
};
const deadLettered: WorkerEvent = {
  type: 'settled',
  subject,
  disposition: { action: 'dead-letter', reason: 'Rejected', error: record.error },
  attempts: 1,
  dwellMs: 1_000,
  deadLetter: { body: 'the-body', attributes: {}, record, fit: 'left-off', replaced: false },
};

describe('the log', () => {
  test('has a line for a call that failed: whose, which, why, how long', () => {
    expect(linesOf(attempt())).toMatchObject([
      { level: 'info', event: 'call.failed', ...who, attempt: 2, ...what, durationMs: 13 },
    ]);
  });

  test('tells of throttled calls at debug only', () => {
    expect(linesOf(attempt({ kind: 'throttled' }))).toMatchObject([{ level: 'debug', event: 'call.failed' }]);
    expect(linesOf(attempt({ kind: 'throttled' }), 'info')).toEqual([]);
  });

  test('shows the stack of a bug of ours, at error', () => {
    expect(linesOf(attempt({ kind: 'internal', stack: 'TypeError: x\n    at y' }), 'error')).toMatchObject([
      { level: 'error', event: 'call.failed', stack: 'TypeError: x\n    at y' },
    ]);
  });

  test('does not mention a call that succeeded', () => {
    expect(linesOf({ type: 'attempt', subject, attempt: 1, durationMs: 5 })).toEqual([]);
  });

  test.each([
    { disposition: { action: 'acknowledge', outcome: 'applied' }, event: 'applied' },
    { disposition: { action: 'release' }, event: 'released' },
  ] as const)('tells of $event messages at debug only', ({ disposition, event }) => {
    const settled: WorkerEvent = {
      type: 'settled',
      subject,
      disposition,
      attempts: 1,
      dwellMs: 7,
    };
    expect(linesOf(settled)).toMatchObject([{ level: 'debug', event, ...who, attempts: 1, dwellMs: 7 }]);
    expect(linesOf(settled, 'info')).toEqual([]);
  });

  test.each([
    { outcome: 'superseded', event: 'superseded' },
    { outcome: 'applied', event: 'applied.in_part' },
  ] as const)('tells at info of $event updates, and which fields had newer values', ({ outcome, event }) => {
    const settled: WorkerEvent = {
      type: 'settled',
      subject,
      disposition: { action: 'acknowledge', outcome },
      attempts: 0,
      dwellMs: 7,
      superseded: { fields: ['Description'], decidedAt: Date.parse('2026-11-23T07:00:00Z') },
    };
    expect(linesOf(settled, 'info')).toMatchObject([
      {
        level: 'info',
        event,
        ...who,
        fields: ['Description'],
        decidedAt: '2026-11-23T07:00:00.000Z',
        dwellMs: 7,
      },
    ]);
  });

  test('warns when what is newest is not shared any more, and tells when it is again', () => {
    expect(linesOf({ type: 'newest-memory', shared: false, reason: new Error('gone') })).toMatchObject([
      { level: 'warn', event: 'newest.alone', error: { message: 'gone' } },
    ]);
    expect(linesOf({ type: 'newest-memory', shared: true })).toMatchObject([
      { level: 'info', event: 'newest.shared' },
    ]);
  });

  test('warns of a deferral, with the failure behind it', () => {
    const settled: WorkerEvent = {
      type: 'settled',
      subject,
      disposition: { action: 'defer', seconds: 9 },
      attempts: 5,
      dwellMs: 7,
      failure,
    };
    expect(linesOf(settled)).toMatchObject([
      { level: 'warn', event: 'deferred', ...who, attempts: 5, seconds: 9, ...what },
    ]);
  });

  test('has one line at error for a dead letter, with the whole record', () => {
    expect(linesOf(deadLettered)).toMatchObject([
      {
        level: 'error',
        event: 'dead_letter',
        ...who,
        reason: 'Rejected',
        attempts: 1,
        status: 404,
        errorName: 'ResourceNotFoundException',
        errorMessage: 'not found',
        awsRequestId: 'aws-1',
        dwellMs: 1_000,
        record,
        recordFit: 'left-off',
        replacedRecord: false,
      },
    ]);
  });

  const others: [string, string, string, WorkerEvent][] = [
    ['worker.draining', 'info', 'that the worker drains', { type: 'state', state: 'draining' }],
    ['received', 'debug', 'what is received', { type: 'received', count: 10, durationMs: 1 }],
    [
      'receive.failed',
      'warn',
      'a failed receive',
      { type: 'receive-failed', error: new Error('x'), retryInMs: 1.4 },
    ],
    ['receive.recovered', 'info', 'that receives succeed again', { type: 'receive-recovered' }],
    [
      'queue.unresolved',
      'error',
      'a queue that cannot be found',
      { type: 'queues-unresolved', queueUrl: 'https://q', error: new Error('x'), retryInMs: 1 },
    ],
    [
      'queue.assumed',
      'warn',
      'a queue that may not be looked at',
      { type: 'queue-assumed', queueUrl: 'https://q', error: new Error('x') },
    ],
    ['lease.lost', 'warn', 'a lost lease', { type: 'lease-lost', subject, reason: 'x' }],
    [
      'settle.failed',
      'warn',
      'a delete that failed',
      { type: 'settle-failed', request: 'delete', count: 2, error: new Error('x') },
    ],
    [
      'dead_letter_queue.unreachable',
      'error',
      'that the dead-letter queue is away',
      { type: 'dead-letter-queue', reachable: false, error: new Error('x') },
    ],
    [
      'dead_letter_queue.reachable',
      'info',
      'that it is back',
      { type: 'dead-letter-queue', reachable: true },
    ],
    [
      'outcome_queue.unreachable',
      'error',
      'that the outcome queue is away',
      { type: 'outcome-queue', reachable: false, error: new Error('x') },
    ],
    ['outcome_queue.reachable', 'info', 'that it is back', { type: 'outcome-queue', reachable: true }],
    [
      'outcome.refused',
      'error',
      'an outcome that SQS finds fault with',
      { type: 'outcome-refused', subject, error: new Error('x') },
    ],
    [
      'gate.outage',
      'error',
      'that calls are paused',
      { type: 'gate', change: { from: 'open', to: 'outage', failure } },
    ],
    ['gate.open', 'info', 'that they go on', { type: 'gate', change: { from: 'outage', to: 'open' } }],
  ];
  test.each(others)('has one line %s at %s: %s', (event, level, _, workerEvent) => {
    expect(linesOf(workerEvent)).toMatchObject([{ event, level, msg: expect.any(String) }]);
    expect(linesOf(workerEvent, 'silent')).toEqual([]);
  });

  test('says what is under repair, in one sentence without a promise it cannot keep', () => {
    const of = (request: string): unknown =>
      linesOf({ type: 'settle-failed', request, count: 1, error: new Error('x') })[0]?.msg;
    expect(of('delete')).toBe('SQS did not delete; trying again');
    expect(of('change visibility')).toBe('SQS did not change visibility; trying again');
    expect(of('extend')).toBe('SQS did not extend; trying again');
  });

  test('holds neither body nor receipt handle', () => {
    for (const event of [attempt(), deadLettered]) {
      expect(JSON.stringify(linesOf(event))).not.toMatch(/the-body|a-receipt-handle/);
    }
  });

  test("does not show the password of a queue's URL", () => {
    const queueUrl = 'https://user:hunter2@sqs.example/000000000000/updates';
    for (const type of ['queues-unresolved', 'queue-assumed'] as const) {
      const lines = linesOf({ type, queueUrl, error: new Error('x'), retryInMs: 1 });
      expect(JSON.stringify(lines)).not.toContain('hunter2');
    }
  });
});
