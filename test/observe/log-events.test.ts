import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DeadLetter } from '../../src/message/dead-letter.ts';
import type { Failure } from '../../src/message/failure.ts';
import { logEvents } from '../../src/observe/log-events.ts';
import { logLines } from '../../src/observe/log-lines.ts';
import { createLogger } from '../../src/observe/logger.ts';
import { version } from '../../src/version.ts';
import { conditionNames } from '../../src/worker/conditions.ts';
import type { Subject, WorkerEvent } from '../../src/worker/events.ts';

const subject: Subject = {
  message: {
    messageId: 'message-1',
    receiptHandle: 'a-receipt-handle',
    body: 'the-body',
    attributes: {},
    sentAt: 0,
    receiveCount: 3,
    groupId: 'group-1',
  },
  ids: { identifier: 'task1', jobId: 'job-1', requestId: 'row-1' },
};
const who = {
  identifier: 'task1',
  jobId: 'job-1',
  requestId: 'row-1',
  messageId: 'message-1',
  groupId: 'group-1',
  receiveCount: 3,
};
const first: Subject = { ...subject, message: { ...subject.message, receiveCount: 1 } };

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
  test('has a line for each failed call at debug: its update, its number, the failure and the duration', () => {
    expect(linesOf(attempt())).toMatchObject([
      { level: 'debug', event: 'call.failed', ...who, attempt: 2, ...what, durationMs: 13 },
    ]);
  });

  test.each([
    'throttled',
    'unreachable',
    'retryable',
    'conflict',
    'denied',
    'rejected',
    'misconfigured',
    'unidentified',
  ] as const)('logs a call that is %s at debug only: what becomes of the message has a line', (kind) => {
    expect(linesOf(attempt({ kind }))).toMatchObject([
      { level: 'debug', event: 'call.failed', failure: kind },
    ]);
    expect(linesOf(attempt({ kind }), 'info')).toEqual([]);
  });

  test('logs an internal error at error, with its stack', () => {
    expect(linesOf(attempt({ kind: 'internal', stack: 'TypeError: x\n    at y' }), 'error')).toMatchObject([
      { level: 'error', event: 'call.failed', stack: 'TypeError: x\n    at y' },
    ]);
  });

  test('has no line for a call that succeeds', () => {
    expect(linesOf({ type: 'attempt', subject, attempt: 1, durationMs: 5 })).toEqual([]);
  });

  test.each([
    { disposition: { action: 'acknowledge', outcome: 'applied' }, event: 'applied' },
    { disposition: { action: 'release' }, event: 'released' },
  ] as const)('logs $event messages at debug only', ({ disposition, event }) => {
    const settled: WorkerEvent = {
      type: 'settled',
      subject: first,
      disposition,
      attempts: 1,
      dwellMs: 7,
    };
    expect(linesOf(settled)).toMatchObject([
      { level: 'debug', event, ...who, receiveCount: 1, attempts: 1, dwellMs: 7 },
    ]);
    expect(linesOf(settled, 'info')).toEqual([]);
  });

  test.each([
    ['tried', first, 2],
    ['received', subject, 1],
  ] as const)('logs an applied message at info when it was %s before', (_, of, attempts) => {
    const disposition = { action: 'acknowledge', outcome: 'applied' } as const;
    expect(
      linesOf({ type: 'settled', subject: of, disposition, attempts, dwellMs: 7 }, 'info'),
    ).toMatchObject([{ level: 'info', event: 'applied', identifier: 'task1', attempts }]);
  });

  test.each(['debug', 'info', 'warn', 'error'])(
    'of a task never ends with a failure that was overcome, at level %s',
    (level) => {
      const settled = { type: 'settled', dwellMs: 7 } as const;
      const story: WorkerEvent[] = [
        { ...attempt(), attempt: 1, subject: first } as WorkerEvent,
        { ...attempt({ kind: 'throttled' }), subject: first } as WorkerEvent,
        { ...settled, subject: first, attempts: 2, disposition: { action: 'defer', seconds: 9 }, failure },
        { ...settled, subject, attempts: 1, disposition: { action: 'acknowledge', outcome: 'applied' } },
      ];
      const events = story.flatMap((event) => linesOf(event, level)).map(({ event }) => event);
      expect([undefined, 'applied']).toContain(events.at(-1));
    },
  );

  test('logs an applied message at info when its outcome was refused before', () => {
    const lines: string[] = [];
    const listener = logEvents(createLogger('info', { write: (line) => void lines.push(line) }));
    listener({ type: 'outcome-refused', subject: first, error: new Error('no') });
    const disposition = { action: 'acknowledge', outcome: 'applied' } as const;
    listener({ type: 'settled', subject: first, disposition, attempts: 1, dwellMs: 7 });
    expect(lines.map((line) => JSON.parse(line).event)).toEqual(['outcome.refused', 'applied']);
  });

  test('logs a bug of ours outside the calls with its stack', () => {
    const crashed = { ...failure, kind: 'internal', stack: 'TypeError: x\n    at y' } as const;
    expect(linesOf({ type: 'crashed', subject, failure: crashed }, 'error')).toMatchObject([
      { event: 'message.crashed', ...who, stack: crashed.stack },
    ]);
  });

  test.each([
    { outcome: 'superseded', event: 'superseded' },
    { outcome: 'applied', event: 'applied.in_part' },
  ] as const)('logs $event updates at info, with the fields that had newer values', ({ outcome, event }) => {
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

  test('a limit that changes is told with from, to, whose word, who and why; one that is not the lowest as that', () => {
    const change = {
      bound: 'rate',
      source: 'redis',
      set: 20,
      by: 'ann@host',
      reason: 'slow',
      from: Number.POSITIVE_INFINITY,
      to: 20,
      holds: 'redis',
    } as const;
    expect(linesOf({ type: 'bound', change })).toMatchObject([
      {
        level: 'warn',
        event: 'limit.changed',
        of: 'RATE_LIMIT',
        from: 'unlimited',
        to: 20,
        source: 'redis',
        set: 20,
        holds: 'redis',
        by: 'ann@host',
        reason: 'slow',
      },
    ]);
    const lifted = {
      ...change,
      bound: 'concurrency',
      set: undefined,
      from: 5,
      to: 5,
      holds: 'file',
    } as const;
    expect(linesOf({ type: 'bound', change: lifted })).toMatchObject([
      {
        level: 'info',
        event: 'limit.set',
        of: 'MAX_CONCURRENCY',
        set: 'none',
        from: 5,
        to: 5,
        holds: 'file',
      },
    ]);
  });

  test('says once that all calls are held, for how long and by which answer, and once that they are not any more', () => {
    const throttled: Failure = { ...failure, kind: 'throttled', name: 'ThrottlingException', status: 429 };
    expect(
      linesOf({ type: 'hold', change: { held: true, forMs: 2_999.6, failure: throttled } }, 'info'),
    ).toMatchObject([
      {
        level: 'info',
        event: 'calls.held',
        retryInMs: 3_000,
        failure: 'throttled',
        status: 429,
        errorName: 'ThrottlingException',
        awsRequestId: 'aws-1',
      },
    ]);
    for (const [because, reason] of [
      ['time', 'its time has come'],
      ['accepted', 'a later call was accepted'],
    ] as const)
      expect(
        linesOf({ type: 'hold', change: { held: false, from: 10, to: 1_010.4, because } }, 'info'),
      ).toMatchObject([{ level: 'info', event: 'calls.resumed', durationMs: 1_000, reason }]);
  });

  test('says what is shared through Redis, and what it holds that no worker writes', () => {
    expect(linesOf({ type: 'shared', condition: 'sharing-marks' })).toMatchObject([
      { level: 'info', event: 'newest.shared' },
    ]);
    expect(linesOf({ type: 'shared', condition: 'sharing-rate' })).toMatchObject([
      { level: 'info', event: 'rate_budget.shared' },
    ]);
    expect(linesOf({ type: 'newest-foreign', what: 'marks', identifier: 'a1' })).toMatchObject([
      { level: 'warn', event: 'newest.foreign', what: 'marks', identifier: 'a1' },
    ]);
  });

  test('says who finds the rate of the fleet', () => {
    expect(linesOf({ type: 'fleet', role: 'leading', rate: 100 })).toMatchObject([
      { level: 'info', event: 'rate_fleet.leading', rate: 100 },
    ]);
    expect(linesOf({ type: 'fleet', role: 'following', rate: 100 })).toMatchObject([
      { level: 'info', event: 'rate_fleet.following', rate: 100 },
    ]);
  });

  test('says of a deferral its group, its delivery, when it comes again, and its failure', () => {
    const settled: WorkerEvent = {
      type: 'settled',
      subject,
      disposition: { action: 'defer', seconds: 9 },
      attempts: 5,
      dwellMs: 7,
      failure,
      deferral: { counted: 4, most: 5, visibleAt: Date.parse('2026-11-23T07:00:09Z') },
    };
    expect(linesOf(settled)).toMatchObject([
      {
        level: 'info',
        event: 'deferred',
        ...who,
        attempts: 5,
        delivery: '4 of 5',
        seconds: 9,
        visibleAt: '2026-11-23T07:00:09.000Z',
        ...what,
      },
    ]);
  });

  test('logs a dead letter once, at error, with the whole record', () => {
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

  test('writes the version when the worker starts', () => {
    expect(linesOf({ type: 'state', state: 'starting' })).toMatchObject([
      { event: 'worker.starting', version },
    ]);
  });

  test.each(conditionNames)(
    'has one line for the condition %s when it is raised, and one when it is cleared',
    (condition) => {
      const name = 'AccessDenied';
      const error = Object.assign(new Error('not authorized'), { name });
      const [raised, ...more] = linesOf({ type: 'condition', condition, raised: true, error });
      expect(raised).toMatchObject({ level: expect.stringMatching(/warn|error/), error: { name } });
      const [cleared, ...others] = linesOf({ type: 'condition', condition, raised: false, durationMs: 12.4 });
      expect(cleared).toMatchObject({ level: 'info', durationMs: 12 });
      expect([...more, ...others]).toEqual([]);
    },
  );

  const others: [string, string, string, WorkerEvent][] = [
    ['worker.draining', 'info', 'a worker that drains', { type: 'state', state: 'draining' }],
    ['received', 'debug', 'a receive', { type: 'received', count: 10, durationMs: 1 }],
    [
      'receive.retrying',
      'debug',
      'a failed receive',
      { type: 'receive-failed', error: new Error('x'), retryInMs: 1.4 },
    ],
    [
      'queue.changed',
      'warn',
      'a queue that somebody has changed',
      {
        type: 'queue-changed',
        setting: 'QUEUE_URL',
        changes: { retentionSeconds: { from: 3_600, to: 1_209_600 } },
      },
    ],
    ['lease.lost', 'warn', 'a lost lease', { type: 'lease-lost', subject, reason: 'x' }],
    [
      'settle.retrying',
      'debug',
      'a delete that failed',
      { type: 'settle-failed', request: 'delete', count: 2, error: new Error('x') },
    ],
    [
      'settle.failed',
      'warn',
      'a sweep that failed',
      { type: 'settle-failed', request: 'sweep', count: 0, error: new Error('x') },
    ],
    [
      'outcome.refused',
      'error',
      'an outcome that SQS refuses',
      { type: 'outcome-refused', subject, error: new Error('x') },
    ],
    [
      'gate.outage',
      'error',
      'paused calls',
      { type: 'gate', change: { from: 'open', to: 'outage', failure } },
    ],
    ['gate.open', 'info', 'calls that resume', { type: 'gate', change: { from: 'outage', to: 'open' } }],
  ];
  test.each(others)('has one line %s at %s for %s', (event, level, _, workerEvent) => {
    expect(linesOf(workerEvent)).toMatchObject([{ event, level, msg: expect.any(String) }]);
    expect(linesOf(workerEvent, 'silent')).toEqual([]);
  });

  test('holds neither body nor receipt handle', () => {
    for (const event of [attempt(), deadLettered]) {
      expect(JSON.stringify(linesOf(event))).not.toMatch(/the-body|a-receipt-handle/);
    }
  });

  test('names what a condition is about', () => {
    const of = 'DEAD_LETTER_QUEUE_URL';
    const error = new Error('x');
    expect(
      linesOf({ type: 'condition', condition: 'finding-queues', of, raised: true, error }),
    ).toMatchObject([{ event: 'queue.unresolved', of }]);
    expect(
      linesOf({ type: 'condition', condition: 'finding-queues', of, raised: false, durationMs: 1 }),
    ).toMatchObject([{ event: 'queue.found', of }]);
  });

  test('writes lines of the table only, with its fields only', async () => {
    const direct = /\blog(ger)?\??\.(trace|debug|info|warn|error|fatal)\(/;
    const files = (await readdir('src', { recursive: true })).filter((path) => path.endsWith('.ts'));
    for (const path of files) expect(await readFile(join('src', path), 'utf8'), path).not.toMatch(direct);

    const lines = Object.values(logLines);
    const events = [
      ...others.map(([, , , event]) => event),
      ...conditionNames.flatMap((condition): WorkerEvent[] => [
        { type: 'condition', condition, raised: true, error: new Error('x') },
        { type: 'condition', condition, raised: false, durationMs: 1 },
      ]),
      attempt(),
      attempt({ kind: 'internal', stack: 'x' }),
      attempt({ kind: 'throttled' }),
      deadLettered,
    ];
    for (const { level, event, msg, time: _, pid: __, service: ___, ...fields } of events.flatMap((e) =>
      linesOf(e),
    )) {
      const line = lines.find((one) => one.event === event && one.message === msg);
      expect(line).toMatchObject({ level });
      expect(line?.fields).toEqual(expect.arrayContaining(Object.keys(fields)));
    }
  });
});
