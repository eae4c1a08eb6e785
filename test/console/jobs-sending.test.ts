/** The console's sending of jobs, where it cannot begin. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeJobs } from '../../src/console/commands/jobs.ts';
import { fakeContext } from '../../testing/stages/context.ts';

test('why nothing is sent is said once, however often it is tried, and again when it is another reason', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ota-console-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const said: string[] = [];
  const errors: unknown[] = [];
  const tries = Promise.withResolvers<void>();
  let tried = 0;
  const env: Record<string, string> = { STATE_DIR: folder };
  const context = fakeContext({
    env,
    cwd: folder,
    sleep: async (_ms, signal) => {
      tried++;
      if (tried === 5) env.QUEUE_URL = 'nowhere';
      if (tried === 10) tries.resolve();
      if (tried >= 10 && !signal.aborted)
        await new Promise<void>((done) => signal.addEventListener('abort', () => done()));
    },
  });
  const { start, close } = makeJobs({
    context,
    stateDir: folder,
    send: true,
    say: (text) => said.push(text),
    onError: (error) => errors.push(error),
  });
  start();
  await tries.promise;
  await close();
  expect(errors).toEqual([]);
  expect(said).toEqual([
    expect.stringMatching(/^Jobs are not sent from here: .*QUEUE_URL/s),
    expect.stringMatching(/^Jobs are not sent from here: .*QUEUE_URL/s),
  ]);
  expect(said[0]).not.toBe(said[1]);
});
