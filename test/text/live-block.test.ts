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

const ERASE = '\u001b[1G\u001b[2A\u001b[0J';

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

/** What a terminal of that width shows after `output`: enough of one for this. */
function shown(output: string, columns: number): string[] {
  const rows = [''];
  let [row, column] = [0, 0];
  for (const [, move, erase, to, text] of output.matchAll(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a terminal reads
    /\u001b\[(\d+)A|(\u001b\[0J)|\u001b\[(\d+)G|([^\u001b])/gu,
  )) {
    if (move !== undefined) row = Math.max(0, row - Number(move));
    else if (to !== undefined) column = Number(to) - 1;
    else if (erase !== undefined) {
      rows.splice(row + 1);
      rows[row] = (rows[row] ?? '').slice(0, column);
    } else if (text === '\n') [row, column] = [row + 1, 0];
    else {
      if (column === columns) [row, column] = [row + 1, 0];
      rows[row] = `${(rows[row] ?? '').slice(0, column).padEnd(column)}${text}`;
      column++;
    }
  }
  return rows.filter((line) => line !== '');
}

test('nothing of it remains: not after a ^C was typed, nor in a narrow window, nor in one that became narrow', () => {
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), { columns: 30 });
  let output = '';
  stream.on('data', (text: string) => {
    output += text;
  });
  const screen = createScreen<string>({
    stream,
    isTerminal: true,
    now: () => 0,
    block: (view) => [view, 'x'.repeat(100)],
    line: String,
  });
  screen.update('enqueue: sending');
  stream.read();
  expect(shown(output, 30)).toEqual(['enqueue: sending', `${'x'.repeat(28)}…`]);
  output += '^C';
  stream.columns = 12;
  // The window wraps what is there, as terminals do.
  output = `${shown(output, 30)
    .flatMap((line) => line.match(/.{1,12}/g) ?? [])
    .join('\n')}`;
  screen.stop();
  expect(shown(output, 12)).toEqual([]);
});
