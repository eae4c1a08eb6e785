import { describe, expect, test } from 'vitest';
import { configureWorker } from '../../src/commands/worker.ts';
import { createLogger } from '../../src/observe/logger.ts';
import { readableLines } from '../../src/observe/readable.ts';
import { mayHaveColours } from '../../src/text/colours.ts';
import { fakeContext, runConfigured } from '../../testing/stages/context.ts';

/** What a logger writes through readable lines. */
function written(fields: object, msg: string, colours = false): string {
  let text = '';
  const destination = {
    write: (line: string) => {
      text += line;
    },
  };
  const log = createLogger('debug', readableLines(destination, { colours }));
  log.info(fields, msg);
  return text;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is taken out.
const uncoloured = (text: string): string => text.replace(/\u001b\[\d+m/g, '');

const time = String.raw`\[\d\d:\d\d:\d\d\]`;

describe('a readable line', () => {
  test('has time, level, message and fields, and not what every line or another field has', () => {
    const record = { reason: 'Rejected' };
    const fields = {
      event: 'x',
      identifier: 'task1',
      attempts: 2,
      rate: 3.087_05,
      record,
      recordFit: 'complete',
    };
    expect(
      written({ ...fields, errorMessage: 'not "found" there', errors: { Timeout: 3 } }, 'dead-lettered'),
    ).toMatch(
      new RegExp(
        `^${time} INFO: dead-lettered  identifier=task1 attempts=2 rate=3.09 ` +
          String.raw`errorMessage="not \\"found\\" there" errors=\{"Timeout":3\}` +
          '\n$',
      ),
    );
    expect(written({ event: 'worker.running' }, 'worker running')).toMatch(
      new RegExp(`^${time} INFO: worker running\n$`),
    );
  });

  test('shows errors and conditions as text, and leaves zeros out of the summary', () => {
    const error = { name: 'TimeoutError', message: 'no answer' };
    expect(written({ error }, 'receive failed')).toMatch(/ {2}error="TimeoutError: no answer"\n$/);
    const since = '2026-11-23T07:00:00.000Z';
    const conditions = [{ condition: 'calling', effect: 'not-ready', since, why: 'calls are paused' }];
    expect(written({ event: 'summary', applied: 0, held: 3, conditions }, 'the last 10 s')).toMatch(
      / {2}held=3 conditions="calls are paused \(since 2026-11-23T07:00:00\.000Z\)"\n$/,
    );
  });

  test('shows a stack below it', () => {
    expect(written({ stack: 'TypeError: x\n    at y' }, 'a bug')).toMatch(
      /INFO: a bug\n {4}TypeError: x\n {8}at y\n$/,
    );
  });

  test.each([false, true])('holds nothing that a terminal interprets, with colours: %s', (colours) => {
    const hostile = 'a\u001b[2Jb\u0007c\u0085d\u009be\u202ef\u2066g\u2028j\ufeffk\0l\nforged';
    const fields = {
      identifier: hostile,
      [hostile]: hostile,
      nested: { [hostile]: [hostile] },
      stack: hostile,
    };
    const text = written(fields, hostile, colours);
    const plain = uncoloured(text);
    expect(plain === text).toBe(!colours);
    expect(plain.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029\ufeff]/u);
    // A line begins with a time, or is indented.
    for (const line of plain.trimEnd().split('\n')) expect(line).toMatch(new RegExp(`^(${time}| {4})`));
  });
});

test('colours are for terminals that know them, without NO_COLOR', () => {
  expect(mayHaveColours({ isTTY: true }, {})).toBe(true);
  expect(mayHaveColours({ isTTY: true }, { NO_COLOR: '' })).toBe(true);
  expect(mayHaveColours({ isTTY: true }, { NO_COLOR: '1' })).toBe(false);
  expect(mayHaveColours({ isTTY: true }, { TERM: 'dumb' })).toBe(false);
  expect(mayHaveColours({ isTTY: false }, {})).toBe(false);
  expect(mayHaveColours({}, {})).toBe(false);
});

describe('the log of a worker', () => {
  test.each<[string, boolean, Record<string, string>]>([
    ['on a terminal is readable lines, in colour', true, {}],
    ['on a terminal has no colour with NO_COLOR', true, { NO_COLOR: '1' }],
    ['elsewhere is JSON', false, {}],
  ])('%s', async (_, isTTY, env) => {
    const url = 'http://127.0.0.1:9/000000000000';
    const queues = { QUEUE_URL: `${url}/updates`, DEAD_LETTER_QUEUE_URL: `${url}/dead` };
    const context = fakeContext({
      env: { ...queues, AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL_SQS: url, HTTP_PORT: 'off', ...env },
    });
    // It never finds its queues: it is stopped as it starts.
    const stdout = Object.assign(
      context.stdout.once('data', () => context.signal('SIGTERM')),
      { isTTY },
    );
    await runConfigured(configureWorker, 'worker', [], { ...context, stdout });
    const [first = ''] = context.output.stdout.split('\n');
    if (isTTY) {
      expect(uncoloured(first)).toMatch(new RegExp(`^${time} INFO: worker starting {2}version=`));
      expect(uncoloured(first) !== first).toBe(env.NO_COLOR === undefined);
    } else expect(JSON.parse(first)).toMatchObject({ event: 'worker.starting' });
  });
});
