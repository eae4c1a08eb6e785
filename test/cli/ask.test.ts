import { PassThrough, Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { ask, isYes } from '../../src/cli/ask.ts';
import { fakeContext } from '../../testing/stages/context.ts';

const never = new AbortController().signal;

function terminal(stdin: Readable) {
  return fakeContext({ isTerminal: true, stdin: Object.assign(stdin, { isTTY: true }) });
}

test.each([
  ['y\n', true],
  [' YES \nno\n', true],
  ['\n', false],
  ['n\n', false],
  ['yesterday\n', false],
  ['', false],
])('the answer %j is %j', async (typed, agreed) => {
  const context = terminal(Readable.from(typed === '' ? [] : [typed]));
  expect(await ask(context, 'Send 3 rows? [y/N]', isYes, never)).toBe(agreed);
  expect(context.output.stderr).toBe(`Send 3 rows? [y/N] ${typed === '' ? '\n' : ''}`);
});

test('without a terminal on both ends nobody is asked, and nothing is waited for', async () => {
  const open = new PassThrough();
  const piped = fakeContext({ isTerminal: true, stdin: open });
  const logged = fakeContext({ stdin: Object.assign(new PassThrough(), { isTTY: true }) });
  expect([await ask(piped, 'Sure?', isYes, never), await ask(logged, 'Sure?', isYes, never)]).toEqual([
    false,
    false,
  ]);
  expect(piped.output.stderr + logged.output.stderr).toBe('');
});

test('Ctrl-C is a no', async () => {
  const interrupted = new AbortController();
  const context = terminal(new PassThrough());
  const asking = ask(context, 'Sure?', isYes, interrupted.signal);
  interrupted.abort();
  expect(await asking).toBe(false);
  expect(context.output.stderr).toBe('Sure? \n');
});
