/** Newest wins, with a complete worker: an older update never overwrites what a newer one has set. */
import { afterEach, expect, test } from 'vitest';
import { LocalNewest } from '../../src/ota/newest/newest.ts';
import { newerSettledFirst, pairsStage } from '../../testing/stages/pairs.ts';
import { type Stage, setStage } from '../../testing/stages/stage.ts';

let stage: Stage;
afterEach(() => stage.strike());

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const description = (Description: string, second?: number): object => ({
  Identifier: 'task',
  Description,
  ...(second !== undefined && { IssuedAt: at(second) }),
});
const descriptions = (): (string | undefined)[] =>
  stage.api.callsFor('task').map(({ input }) => input.Description);
const empty = { ready: 0, inFlight: 0 };

/** Sends updates, each after the end of the one before. */
async function sendInTurn(...bodies: readonly object[]): Promise<void> {
  await stage.worker.start();
  for (const body of bodies) {
    const ended = stage.settled().length;
    await stage.send(body);
    await stage.ended(ended + 1);
  }
}

test('no task ends with an old value after 100 pairs of updates with overlapping fields, the newer settled first', async () => {
  stage = await setStage(pairsStage);
  const report = await newerSettledFirst(stage, 100);
  expect(report).toEqual({ pairs: 100, superseded: 50, inPart: 34, unanswered: 0, old: [] });
  // No call is made for a superseded update.
  expect(stage.api.stats().calls).toBe(150);
  expect(stage.left()).toEqual(empty);
});

test('an older update ends as superseded without a call; the event has its fields and time', async () => {
  stage = await setStage({ outcomes: true });
  await sendInTurn(description('new', 20), description('old', 10));
  expect(descriptions()).toEqual(['new']);
  const [, second] = stage.settled('acknowledge');
  expect(second).toMatchObject({
    disposition: { action: 'acknowledge', outcome: 'superseded' },
    attempts: 0,
    superseded: { fields: ['Description'], decidedAt: Date.parse(at(10)) },
  });
  expect(await stage.outcomes()).toMatchObject([
    { Identifier: 'task', Outcome: 'applied', Attempts: 1 },
    { Identifier: 'task', Outcome: 'superseded', Attempts: 0 },
  ]);
  expect(stage.left()).toEqual(empty);
});

test('two updates of the same time are both applied, in order of arrival', async () => {
  stage = await setStage();
  await sendInTurn(description('one', 10), description('other', 10));
  expect(descriptions()).toEqual(['one', 'other']);
  expect(stage.settled('acknowledge').map(({ superseded }) => superseded)).toEqual([undefined, undefined]);
});

test('without IssuedAt the sent time counts', async () => {
  stage = await setStage();
  await sendInTurn(description('first'), description('second'), description('old', 10));
  expect(descriptions()).toEqual(['first', 'second']);
});

test('without IssuedAt an event that comes late counts as of its own time, and does not overwrite the newer value', async () => {
  stage = await setStage();
  await sendInTurn(
    description('new'),
    { Type: 'Notification', Timestamp: at(10), Message: JSON.stringify(description('late retry')) },
    { source: 's', 'detail-type': 't', time: at(10), detail: description('replay') },
  );
  expect(descriptions()).toEqual(['new']);
});

test('a field is marked only when it was sent and applied', async () => {
  stage = await setStage({ env: { MAX_ATTEMPTS: '1' } });
  stage.api.script('task', [{ status: 400, errorType: 'ValidationException' }]);
  await sendInTurn(description('refused', 30), description('old', 10));
  expect(stage.api.task('task')?.Description).toBe('old');
  expect(stage.settled('dead-letter')).toHaveLength(1);
});

test('a call whose answer was lost is retried, and the older update behind it is superseded', async () => {
  stage = await setStage({ endHungCalls: true });
  stage.api.script('task', ['apply-then-reset', 'hang']);
  await sendInTurn(description('new', 20), description('old', 10));
  expect(descriptions()).toEqual(['new', 'new', 'new']);
  expect(stage.api.task('task')?.Description).toBe('new');
});

test('a redriven dead letter does not overwrite a newer configuration', async () => {
  stage = await setStage();
  const old = JSON.stringify({
    Identifier: 'task',
    Description: 'fresh field',
    TaskConfigurationId: 'cfgOld',
  });
  const letter = JSON.stringify({ sentAt: at(10), redriveCount: 0 });
  await sendInTurn({ Identifier: 'task', TaskConfigurationId: 'cfgNew', IssuedAt: at(20) });
  await stage.source.send([
    {
      key: 'redriven',
      body: old,
      attributes: { DeadLetter: { dataType: 'String', stringValue: letter } },
    },
  ]);
  await stage.ended(2);
  expect(stage.api.task('task')).toMatchObject({
    TaskConfigurationId: 'cfgNew',
    Description: 'fresh field',
  });
});

test('an old update is applied again once its mark has been dropped, because marks are bounded', async () => {
  stage = await setStage({ newest: () => new LocalNewest(4) });
  await sendInTurn(description('new', 20));
  await stage.sendUpdates(4, 'other');
  await stage.ended(5);
  await sendInTurn(description('old', 10));
  expect(descriptions()).toEqual(['new', 'old']);
});
