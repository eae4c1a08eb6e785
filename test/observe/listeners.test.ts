/** A failing listener must not stop the worker. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Assembly, assemble } from '../../src/commands/assemble.ts';
import { createLogger } from '../../src/observe/logger.ts';
import type { WorkerListener } from '../../src/worker/events.ts';
import { credentials, REGION, type Stage, setStage } from '../../testing/stages/stage.ts';

let stage: Stage;
let assembly: Assembly;
const warnings: Error[] = [];
const onWarning = (warning: Error): void => void warnings.push(warning);

beforeEach(async () => {
  warnings.length = 0;
  process.on('warning', onWarning);
  stage = await setStage({ api: { tasks: { kind: 'all', exceptPrefix: 'unknown' } } });
});
afterEach(async () => {
  await assembly.worker.stop();
  await assembly.close();
  await stage.strike();
  process.off('warning', onWarning);
});

function assembleWith(listener: WorkerListener, write: (line: string) => void = () => {}): void {
  assembly = assemble({
    config: stage.config,
    env: {},
    log: createLogger('trace', { write }),
    listeners: [listener],
    sqs: { region: REGION, credentials, endpoint: stage.sqsUrl },
    api: { region: REGION, credentials, endpoint: stage.api.url },
  });
}

describe('a worker', () => {
  test('keeps working when a listener throws at every event, and emits a warning', async () => {
    let seen = 0;
    assembleWith(() => {
      seen++;
      throw new Error('a bug in the listener');
    });
    await stage.sendUpdates(20);
    await stage.send('not json', { Identifier: 'unknown1', Description: 'x' });
    await assembly.worker.start();
    await stage.api.waitFor(() => stage.api.stats().applied === 20);
    await assembly.worker.stop();
    expect(stage.left()).toEqual({ ready: 0, inFlight: 0 });
    expect(await stage.deadLetters()).toHaveLength(2);
    expect(assembly.counts).toMatchObject({ applied: 20, deadLettered: 2, calls: 21 });
    expect(seen).toBeGreaterThan(40);
    // Warnings are emitted in a turn of their own.
    await new Promise(setImmediate);
    expect(warnings.some((warning) => warning.message === 'a bug in the listener')).toBe(true);
  });

  test.each([undefined, null, 'text', { message: 1 }])(
    'keeps working when a listener throws %j, which is not an Error',
    async (thrown) => {
      assembleWith(() => {
        throw thrown;
      });
      await stage.sendUpdates(5);
      await assembly.worker.start();
      await stage.api.waitFor(() => stage.api.stats().applied === 5);
      await assembly.worker.stop();
      expect(stage.left()).toEqual({ ready: 0, inFlight: 0 });
    },
  );

  test('keeps working when its log cannot be written', async () => {
    assembleWith(
      () => {},
      () => {
        throw new Error('the disk is full');
      },
    );
    await stage.sendUpdates(20);
    await stage.send('not json');
    await assembly.worker.start();
    await stage.api.waitFor(() => stage.api.stats().applied === 20);
    await assembly.worker.stop();
    expect(stage.left()).toEqual({ ready: 0, inFlight: 0 });
    expect(assembly.counts).toMatchObject({ applied: 20, deadLettered: 1 });
  });
});
