import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { bar, createProgress } from '../../src/text/progress.ts';

function start(isTerminal: boolean, columns = 80) {
  const stderr = Object.assign(new PassThrough({ encoding: 'utf8' }), { columns });
  const time = { ms: 0 };
  const progress = createProgress({ stderr, isTerminal, clock: { monotonic: () => time.ms } });
  const written = (): string => {
    let all = '';
    for (let piece = stderr.read(); piece !== null; piece = stderr.read()) all += piece;
    return all;
  };
  return { progress, time, written };
}

test('draws a bar of the stage with the time that is left', () => {
  const { progress, time, written } = start(true);
  progress.stage('sending', 200);
  expect(written()).toBe(`sending [${'-'.repeat(30)}]   0%  -:-- left\n`);
  time.ms = 10_000;
  progress.update(50);
  expect(written()).toContain(`sending [${'='.repeat(7)}${'-'.repeat(23)}]  25%  0:30 left\n`);
});

test.each([
  [40, `sending [${'-'.repeat(13)}]   0%  -:-- left\n`],
  [28, 'sending   0%  -:-- left\n'],
])('fits into %i columns', (columns, line) => {
  const { progress, written } = start(true, columns);
  progress.stage('sending', 200);
  expect(written()).toBe(line);
});

test('counts when the total is not known', () => {
  const { progress, time, written } = start(true);
  progress.stage('reading');
  time.ms = 1_000;
  progress.update(7);
  expect(written()).toContain('reading 7\n');
});

test('removes the bar when it stops, also when it never began', () => {
  const { progress, written } = start(true);
  progress.stop();
  expect(written()).toBe('');
  progress.stage('sending', 1);
  written();
  progress.stop();
  // Up one line, and everything below is erased.
  expect(written()).toBe('\u001b[1G\u001b[1A\u001b[0J');
  progress.update(1);
  expect(written()).toBe('');
});

test('writes nothing where there is no terminal', () => {
  const { progress, time, written } = start(false);
  progress.stage('sending', 2);
  time.ms = 60_000;
  progress.update(1);
  progress.stop();
  expect(written()).toBe('');
});

test.each([
  [0, '[----]'],
  [0.49, '[=---]'],
  [1, '[====]'],
])('a bar of %f', (share, text) => {
  expect(bar(share, 4)).toBe(text);
});
