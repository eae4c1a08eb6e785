/** A command whose output is closed early, as by `| head`. */
import { afterEach, expect, test } from 'vitest';
import { runCommand } from '../../testing/processes/process.ts';
import { type Stage, setStage } from '../../testing/stages/stage.ts';

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.strike();
  stage = undefined;
});

test('ends help without an error', async () => {
  const { code, stderr } = await runCommand(['enqueue', '--help'], { stdoutClosed: true });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

test('does not prevent enqueue from sending every row', async () => {
  stage = await setStage();
  const rows = Array.from({ length: 25 }, (_, i) => `t${i},new\n`).join('');
  const { code } = await runCommand(['enqueue', '--format', 'csv', '-'], {
    env: stage.environment({ QUEUE_URL: stage.source.url }),
    stdin: `Identifier,Description\n${rows}`,
    stdoutClosed: true,
  });
  expect(code).toBe(0);
  expect(stage.left()).toEqual({ ready: 25, inFlight: 0 });
});
