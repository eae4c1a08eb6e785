/** How many rows of a job are before an update of another system, with a real SQS server. */
import { expect, test } from 'vitest';
import { WINDOW_SECONDS } from '../../src/jobs/rules/window.ts';
import { setJobs } from '../../testing/stages/jobs-stage.ts';

const RATE = 50;
const ROWS = 600;
const WHEN = 200;

test.each([
  ['a standard queue', false],
  ['a FIFO queue, whose groups are tasks', true],
])('on %s an update of another system waits for the rows in the window, not for the job', async (_, fifo) => {
  const { stage, run, plan, ids } = await setJobs({}, { fifo, env: { RATE_LIMIT: String(RATE) } });
  const update = { Identifier: 'other', Description: 'of another system' };
  const { promise: interrupt, resolve: pressCtrlC } = Promise.withResolvers<void>();
  let calls = 0;
  let isSent: Promise<void> | undefined;
  let waitedFor: number | undefined;
  stage.api.onCall(({ identifier }) => {
    calls += 1;
    if (calls === WHEN) isSent = fifo ? stage.sendInOrder(update) : stage.send(update);
    if (identifier !== update.Identifier) return;
    waitedFor ??= calls - WHEN - 1;
    pressCtrlC();
  });
  await stage.worker.start();
  await plan(ids(ROWS));
  await run(['apply', 'j.jsonl', '--yes'], { interrupt });
  await isSent;
  // What ends in the time of the window at RATE_LIMIT; a tenth more, as rates are measured.
  expect(waitedFor).toBeLessThanOrEqual(RATE * WINDOW_SECONDS * 1.1);
  expect(stage.api.callsFor(update.Identifier).map(({ status }) => status)).toEqual([204]);
});
