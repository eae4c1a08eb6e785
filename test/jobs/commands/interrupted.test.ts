/** A command that waits for a ledger, and is interrupted: it ends, and does nothing afterwards. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { sleep } from '../../../src/time/clock.ts';
import { setJobs } from '../../../testing/stages/jobs-stage.ts';

test('a command that waits for a locked ledger ends when it is interrupted, and has changed nothing', async () => {
  const { folder, run, plan, ids, standing } = await setJobs();
  await plan(ids(3));
  await run(['apply', 'j.jsonl', '--yes', '--detach']);
  const other = new DatabaseSync(join(folder.path, 'state', 'ledger.sqlite'));
  onTestFinished(() => other.close());
  const before = (await standing(['status', 'j'])).json;
  for (const command of [
    ['cancel', 'j', '--yes'],
    ['pause', 'j'],
    ['stop', 'j'],
    ['set', 'j', '--window', '5'],
    ['resume', 'j', '--detach', '--window', '5'],
  ]) {
    other.exec('BEGIN IMMEDIATE');
    const waits = Promise.withResolvers<void>();
    const ran = await run(command, {
      interrupt: waits.promise,
      sleep: (ms, signal) => {
        waits.resolve();
        return sleep(ms, signal);
      },
    });
    other.exec('ROLLBACK');
    const name = command.join(' ');
    expect(ran, name).toMatchObject({
      exitCode: 130,
      error: expect.stringMatching(
        /^Interrupted\. The ledger \S+ was not available: the waiting request was not carried out/,
      ),
    });
    expect((await standing(['status', 'j'])).json, name).toEqual(before);
  }
});
