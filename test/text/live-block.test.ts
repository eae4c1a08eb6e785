import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { createScreen } from '../../src/text/live-block.ts';

function start(isTerminal: boolean, lineMs?: number) {
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), { columns: 40 });
  const time = { ms: 0 };
  const screen = createScreen<number>({
    stream,
    isTerminal,
    now: () => time.ms,
    block: (view, columns) => [`view ${view}`, `of ${columns} columns`],
    line: (view) => `view ${view}`,
    ...(lineMs !== undefined && { lineMs }),
  });
  const written = (): string => {
    let all = '';
    for (let piece = stream.read(); piece !== null; piece = stream.read()) all += piece;
    return all;
  };
  return { screen, time, written };
}

const ERASE = '\u001b[2A\u001b[0J';

test('a block is drawn over itself, at most five times a second', () => {
  const { screen, time, written } = start(true);
  screen.update(1);
  screen.update(2);
  expect(written()).toBe('view 1\nof 40 columns\n');
  time.ms = 200;
  screen.update(3);
  expect(written()).toBe(`${ERASE}view 3\nof 40 columns\n`);
});

test('a line that stays is written above the block, and controls no terminal', () => {
  const { screen, written } = start(true);
  screen.update(1);
  written();
  screen.say('evil \u001b[2J');
  expect(written()).toBe(`${ERASE}evil \\u{1b}[2J\nview 1\nof 40 columns\n`);
  screen.stop();
  screen.say('done');
  expect(written()).toBe(`${ERASE}done\n`);
});

test.each([
  [undefined, 10_000],
  [2_000, 2_000],
])('without a terminal there is a line now and then: lineMs %s', (lineMs, everyMs) => {
  const { screen, time, written } = start(false, lineMs);
  time.ms = everyMs - 1;
  screen.update(1);
  expect(written()).toBe('');
  time.ms = everyMs;
  screen.update(2);
  screen.update(3);
  expect(written()).toBe('view 2\n');
  screen.say('said at once');
  screen.stop();
  expect(written()).toBe('said at once\n');
});
