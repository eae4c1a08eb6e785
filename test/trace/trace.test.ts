import { expect, test } from 'vitest';
import { traceJson } from '../../src/trace/json.ts';
import { logFault, readLog } from '../../src/trace/log.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { updatesOf } from '../../src/trace/updates.ts';
import { traceText } from '../../src/trace/view.ts';

const never = new AbortController().signal;
const at = (second: number): string => new Date(Date.UTC(2026, 10, 28, 7, 0, second)).toISOString();
const log = (...lines: readonly (string | object)[]) =>
  (async function* () {
    for (const line of lines)
      yield Buffer.from(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
  })();
const line = (second: number, event: string, more: object = {}) => ({
  time: at(second),
  event,
  identifier: 'pump1',
  messageId: 'm1',
  ...more,
});

test("a log's lines become one update for each message, whatever else stands in the log", async () => {
  const result = await readLog(
    log(
      'worker-1  | no JSON at all, and pump1 in it',
      `worker-1  | ${JSON.stringify(line(2, 'call.failed', { errorName: 'Boom', status: 500, attempt: 1, receiveCount: 1 }))}`,
      line(1, 'applied', { identifier: 'pump11', messageId: 'm9' }),
      line(3, 'deferred', { seconds: 5, errorName: 'Boom' }),
      line(4, 'applied', { attempts: 2, dwellMs: 3_000 }),
      line(5, 'dead_letter', {
        messageId: 'm2',
        reason: 'Rejected',
        errorName: 'No',
        errorMessage: 'x'.repeat(5_000),
      }),
      // Hostile: wrong types, times that are none, prototypes, a line without an end.
      line(6, '__proto__'),
      { ...line(6, 'applied'), time: 'never' },
      { ...line(6, 'applied'), time: 9e15 },
      { ...line(6, 'applied'), messageId: 7 },
      `{"identifier":"pump1","__proto__":{"event":"applied"}`,
      `{"identifier":"pump1","pad":"${'y'.repeat(40_000)}"}`,
    ),
    'pump1',
    never,
  );
  expect(result).toMatchObject({ lines: 12, ofTask: 4, leftOut: 0 });
  expect(logFault(result)).toBeUndefined();
  const [first, second] = updatesOf(result.findings);
  expect(first).toMatchObject({
    messageIds: ['m1'],
    sentAt: Date.parse(at(1)),
    end: { state: 'applied', attempts: 2 },
    steps: [{ what: 'call 1 failed: Boom (500), delivery 1' }, { what: 'deferred for 5 s: Boom' }],
  });
  expect(second?.end).toMatchObject({ state: 'dead-lettered', error: { name: 'No' } });
  expect(second?.end?.error?.message.length).toBe(1_000);
});

test('a log that is none says so', async () => {
  expect(logFault(await readLog(log('[07:00] INFO: applied pump1'), 'pump1', never))).toContain(
    'none of its lines is JSON',
  );
});

test('findings are of one update where they share a message, and never by their ids alone', () => {
  const letter = {
    source: 'dead-letters',
    messageIds: ['m1', 'm3'],
    steps: [],
    letter: { messageId: 'm3', arrivedAt: 5, redriveCount: 1 },
  } as const;
  const [one, two] = updatesOf([
    {
      source: 'log',
      messageIds: ['m3'],
      jobId: 'j',
      requestId: 'r1',
      steps: [{ at: 4, source: 'log', what: 'x' }],
    },
    {
      source: 'log',
      messageIds: ['m2'],
      jobId: 'j',
      requestId: 'r1',
      end: { state: 'applied', at: 9 },
      steps: [],
    },
    {
      source: 'ledger',
      messageIds: ['m1'],
      row: 1,
      sentAt: 1,
      end: { state: 'dead-lettered', at: 2 },
      steps: [],
    },
    { ...letter, end: { state: 'dead-lettered', at: 5, reason: 'Rejected' } },
  ]);
  expect(one).toMatchObject({
    messageIds: ['m1', 'm3'],
    row: 1,
    end: { at: 5, source: 'dead-letters' },
    letters: [{}],
  });
  expect(one?.sources).toEqual(['ledger', 'dead-letters', 'log']);
  expect(two).toMatchObject({ messageIds: ['m2'], end: { state: 'applied' } });
});

test('applied is final; what other sources say of an end is a step', () => {
  const [update] = updatesOf([
    { source: 'ledger', messageIds: ['m1'], open: 'sent', steps: [] },
    { source: 'log', messageIds: ['m1'], end: { state: 'applied', at: 3 }, steps: [] },
    {
      source: 'dead-letters',
      messageIds: ['m1'],
      end: { state: 'dead-lettered', at: 5, reason: 'Expiring' },
      steps: [],
    },
  ]);
  expect(update).toMatchObject({
    end: { state: 'applied', source: 'log' },
    open: undefined,
    steps: [{ at: 5, source: 'dead-letters', what: 'dead-lettered: Expiring' }],
  });
});

test('text of any origin neither controls the terminal nor leaves 80 columns', () => {
  const evil = `\u001b[2J\u202e${'w'.repeat(200)}`;
  const trace: Trace = {
    identifier: 'pump1',
    task: { TaskId: 'pump1', Status: evil, Description: evil, TaskConfigurationId: 'cfgA' },
    updates: updatesOf([
      {
        source: 'ledger',
        messageIds: [evil],
        jobId: evil,
        requestId: evil,
        values: { TaskConfigurationId: 'cfgB' },
        sentAt: Date.parse(at(1)),
        end: { state: 'applied', at: Date.parse(at(2)), note: evil },
        steps: Array.from({ length: 30 }, (_, i) => ({ at: i, source: 'log' as const, what: evil })),
      },
    ]),
    sources: [{ source: 'log', state: 'failed', what: evil }],
  };
  const text = traceText(trace, (...args) => args.join(' '));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for.
  expect(`${text}${traceJson(trace)}`).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  expect(text.split('\n').filter((row) => row.length > 80)).toEqual([]);
  expect(text).toContain('18 steps more');
});
