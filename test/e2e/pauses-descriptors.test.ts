/** No file descriptor is left for another connection, in a real process: never the message's fault. */
import { expect, onTestFinished, test } from 'vitest';
import { Child } from '../../testing/processes/child.ts';
import { otaProgram, surroundings } from '../../testing/processes/ota.ts';
import { setStage } from '../../testing/stages/stage.ts';

test('updates are applied all the same, with MAX_DELIVERIES=1 and fewer descriptors than calls', async () => {
  const stage = await setStage({ api: { latency: { minMs: 20, maxMs: 20 } } });
  onTestFinished(() => stage.strike());
  await stage.sendUpdates(40);
  const command = ['-c', 'ulimit -n 34; exec "$0" "$@"', process.execPath, ...otaProgram(), 'worker'];
  const settings = { HTTP_PORT: 'off', MAX_DELIVERIES: '1', MAX_ATTEMPTS: '1' };
  const env = { ...surroundings, ...stage.environment(settings) };
  const child = Child.start('bash', command, { env, keepOutput: true });
  onTestFinished(() => child.end());
  await stage.api.waitFor(() => stage.api.stats().applied === 40);
  child.signal('SIGTERM');
  expect(await child.exited).toEqual({ code: 0, signal: null });
  expect(await stage.deadLetters()).toEqual([]);
  expect(child.output.stdout).toContain(
    '"gate.unreachable","from":"open","failure":"unreachable","errorName":"EMFILE"',
  );
});
