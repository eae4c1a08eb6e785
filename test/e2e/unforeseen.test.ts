/** An error that nobody foresaw, in a command: a sentence, and the stack in a file. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startOta } from '../../testing/processes/ota.ts';

/** Loaded before the program; the password must not be shown. */
const bugs = {
  'in a command': "Map.prototype.get = () => { throw new TypeError('no such part, password=hunter2') }",
  'outside of all promises':
    "process.on('newListener', (name) => { if (name === 'uncaughtException') " +
    "setImmediate(() => { throw new TypeError('no such part, password=hunter2') }) })",
};

test.concurrent.each(Object.entries(bugs))('%s', async (_where, bug) => {
  const folder = await mkdtemp(join(tmpdir(), 'ota-updater-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const nodeOptions = ['--import', `data:text/javascript,${encodeURIComponent(bug)}`];
  const child = startOta(['completion', 'bash'], { env: { TMPDIR: folder }, nodeOptions, keepOutput: true });
  onTestFinished(() => child.end());
  expect(await child.exited).toEqual({ code: 1, signal: null });
  const [crash = ''] = await readdir(folder);
  const file = join(folder, crash, 'stack.txt');
  expect(child.output.stderr).toBe(
    `This is a bug in ota-updater: no such part. Please report it with the stack, which is in ${file}.\n`,
  );
  const stack = await readFile(file, 'utf8');
  expect(stack).toMatch(/^ota-updater \S+, Node \S+\nTypeError: no such part/);
  expect(stack).not.toContain('hunter2');
});
