/** The walk-throughs are correct: their commands, run on a tenth of the messages, print what the pages show. */
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { asWritten, readWalkThrough, shapeOf } from '../../testing/walk-through/document.ts';
import { inProcess } from '../../testing/walk-through/in-process.ts';
import { runWalkThrough } from '../../testing/walk-through/run.ts';

const pages = globSync(fileURLToPath(new URL('../../docs/{files,walk-throughs/*}.md', import.meta.url)));
const folder = process.cwd();

afterEach(() => {
  process.chdir(folder);
  vi.unstubAllEnvs();
});

const runStep = inProcess({ SCALE: '0.1' });

test.each(pages)('%s', async (path) => {
  const shown = await runWalkThrough(readWalkThrough(readFileSync(path, 'utf8')), runStep);
  expect(shown.length).toBeGreaterThan(5);
  for (const { step, output } of shown)
    expect(`$ ${step.command}\n${shapeOf(output)}`).toBe(`$ ${step.command}\n${shapeOf(step.output ?? '')}`);
});

describe('a walk-through', () => {
  const page = [
    '<!-- sandbox --api-limit unlimited -->',
    '<!-- run',
    'hidden one',
    '-->',
    'Text.',
    '```console',
    '$ first \\',
    '> --flag',
    'old',
    '$ second',
    '```',
    '```sh',
    '$ not run',
    '```',
    'More.',
    '',
  ].join('\n');

  test('is parsed into steps, and written with their outputs', () => {
    const read = readWalkThrough(page);
    expect(read.sandbox).toEqual(['--api-limit', 'unlimited']);
    expect(read.steps).toEqual([
      { command: 'hidden one', output: undefined },
      { command: 'first \\\n--flag', output: 'old\n' },
      { command: 'second', output: '' },
    ]);
    expect(read.render(['old\n', ''])).toBe(page);
    expect(read.render(['new\nmore\n', asWritten('x', 3)])).toBe(
      page.replace('old\n', 'new\nmore\n').replace('$ second\n', '$ second\nx\n[exit code 3]\n'),
    );
  });

  test.each([
    ['without a sandbox', 'Text.'],
    ['with a block that never ends', '<!-- sandbox -->\n```console\n$ a'],
    ['with a comment that never ends', '<!-- sandbox -->\n<!-- run\na'],
    ['with output that belongs to no command', '<!-- sandbox -->\n```console\na\n```'],
  ])('is rejected %s', (_what, text) => {
    expect(() => readWalkThrough(text)).toThrow();
  });

  test.each([
    ['seen 720 of about 720 at 2026-11-25 10:04:09', 'seen 72 of about 72 at 2026-11-26 01:02:03', true],
    ['3f9a1c02      400  x', 'a0613273       40  x', true],
    ['defaced0 left', 'left', false],
    ['Rejected: A (404)', 'Rejected: B (404)', false],
  ])('compares by shape: %s and %s', (a, b, same) => {
    expect(shapeOf(a) === shapeOf(b)).toBe(same);
  });

  test('exists', () => {
    expect(pages.map((path) => basename(path))).toEqual(
      expect.arrayContaining(['bulk-job.md', 'dead-letters.md']),
    );
  });
});
