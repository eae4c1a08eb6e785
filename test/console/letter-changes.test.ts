/** Changes of dead letters by the console: who did what, a log without room, and SQS that does not answer. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { changeJson, lookJson } from '../../src/console/api/letter-shapes.ts';
import { makeAsking } from '../../src/console/commands/asking.ts';
import type { Asked } from '../../src/console/dead-letters/asked.ts';
import { changePart } from '../../src/console/dead-letters/change-page.ts';
import type { ChangeRun } from '../../src/console/dead-letters/change-run.ts';
import type { Desk } from '../../src/console/dead-letters/desk.ts';
import { overviewPart } from '../../src/console/dead-letters/overview-page.ts';
import {
  AuditError,
  type AuditEvent,
  type OpenAudit,
  openAudit,
} from '../../src/dead-letters/changes/audit.ts';
import { readChanges } from '../../src/dead-letters/desk/log.ts';
import { instant } from '../../src/text/times.ts';
import { over, setLetters } from '../../testing/console/letters.ts';
import { fakeContext } from '../../testing/stages/context.ts';

const bob = { by: 'bob@console', reason: 'ann asked me to' };
const carl = { by: 'carl@console', reason: 'too early' };

const notLimited = { limit: undefined, rate: undefined, canary: undefined, force: false } as const;
const askedOf = (action: Asked['action']): Asked => ({
  action,
  where: [],
  ...notLimited,
});

/** A plan of all letters, made by ann. */
async function planned(desk: Desk, asked: Asked): Promise<ChangeRun> {
  const run = await desk.plan(asked, { by: 'ann@console', reason: 'cause fixed' });
  await expect.poll(() => run.state).toBe('planned');
  return run;
}

/** As the page *Log of changes* shows it. */
async function shownLog(stateDir: string) {
  const readLedger = async (): Promise<undefined> => undefined;
  const asking = makeAsking({ context: fakeContext(), stateDir, letters: 'not looked at', readLedger });
  onTestFinished(asking.close);
  return await asking.changes['dead letters']?.(10);
}

/** The log of a folder, as on a disk that has no room for some of its lines. */
const fullLog =
  (stateDir: string, isFull: (event: AuditEvent) => boolean): OpenAudit =>
  async (facts) => {
    const log = await openAudit(stateDir, facts, Date.now);
    return {
      ...log,
      write: async (event) => {
        if (isFull(event)) throw new AuditError(log.path, Object.assign(new Error('no'), { code: 'ENOSPC' }));
        await log.write(event);
      },
    };
  };

describe('who confirms, stops or drops a change, and why, is logged', () => {
  test('a plan of ann that bob has confirmed and carl stopped; there is nothing to stop before and after', async () => {
    const { stateDir, addLetters, openDesk } = await setLetters();
    await addLetters(3, 'fixed');
    const desk = openDesk();
    const run = await planned(desk, askedOf('redrive'));
    const { id } = run.facts;
    const nothing = (state: string) => ({
      status: 409,
      message: `There is nothing to stop: the change is ${state}.`,
    });
    await expect(desk.stop(id, carl)).rejects.toMatchObject(nothing('planned'));
    await desk.confirm(id, bob);
    // No worker: it waits for their end.
    await expect.poll(() => run.state).toBe('ending');
    const stopped = desk.stop(id, carl);
    await expect(desk.stop(id, carl)).rejects.toMatchObject(nothing('stopping'));
    await stopped;
    expect(existsSync(join(stateDir, 'console-redrive.json'))).toBe(false);
    await over(run);
    await expect(desk.stop(id, carl)).rejects.toMatchObject(nothing('ended'));
    expect(changeJson(run)).toMatchObject({
      by: 'ann@console',
      confirmed: bob,
      stopped: carl,
      report: { redriven: 3 },
    });
    const page = String(changePart(run));
    for (const text of ['ended, stopped', 'bob@console: ann asked me to', 'carl@console: too early'])
      expect(page).toContain(text);
    expect(await readChanges(stateDir, 10)).toMatchObject([
      {
        run: id,
        ...bob,
        what: { plannedBy: 'ann@console', planReason: 'cause fixed' },
        stops: [{ event: 'stop', ...carl }],
        end: { result: { redriven: 3 } },
      },
    ]);
    expect(await shownLog(stateDir)).toMatchObject([
      { who: 'carl@console', what: 'stop of a redrive of dead letters', why: 'too early' },
      {
        who: 'bob@console',
        what: 'redrive of dead letters',
        detail: expect.stringContaining('planned by ann@console, plan reason cause fixed'),
      },
    ]);
  });

  test('a plan that is dropped', async () => {
    const { stateDir, addLetters, openDesk } = await setLetters();
    await addLetters(3, 'gone');
    const desk = openDesk();
    const run = await planned(desk, askedOf('purge'));
    await desk.drop(run.facts.id, carl);
    await expect(desk.drop(run.facts.id, carl)).rejects.toMatchObject({ status: 409 });
    await expect(desk.stop(run.facts.id, carl)).rejects.toMatchObject({ status: 409 });
    expect(await readChanges(stateDir, 10)).toMatchObject([
      {
        action: 'purge',
        letters: 0,
        what: { plannedBy: 'ann@console' },
        stops: [{ event: 'drop', ...carl }],
      },
    ]);
    expect(await shownLog(stateDir)).toMatchObject([
      { who: 'carl@console', what: 'drop of a purge of dead letters', why: 'too early' },
    ]);
  });

  test('a plan in the making is neither confirmed nor dropped', async () => {
    const { addLetters, openDesk } = await setLetters();
    await addLetters(3, 'gone');
    const desk = openDesk();
    const run = await desk.plan(askedOf('purge'), bob);
    const early = {
      status: 409,
      message: 'This change is still being planned. Wait for its plan, or stop it.',
    };
    for (const phrase of ['', 'purge 0'])
      await expect(desk.confirm(run.facts.id, bob, phrase)).rejects.toMatchObject(early);
    await expect(desk.drop(run.facts.id, carl)).rejects.toMatchObject(early);
    await expect.poll(() => run.state).toBe('planned');
    await desk.confirm(run.facts.id, bob, 'purge 3');
    await over(run);
    expect(run).toMatchObject({ report: { purged: 3 } });
  });

  test('a plan in the making that is stopped is none', async () => {
    const { stateDir, addLetters, openDesk } = await setLetters();
    await addLetters(3, 'gone');
    const desk = openDesk();
    const run = await desk.plan(askedOf('purge'), bob);
    await desk.stop(run.facts.id, carl);
    await over(run);
    expect(run).toMatchObject({ state: 'dropped', fault: undefined, stopped: carl });
    await expect(desk.confirm(run.facts.id, bob, 'purge 0')).rejects.toMatchObject({ status: 409 });
    expect(await readChanges(stateDir, 10)).toMatchObject([{ stops: [{ event: 'drop', ...carl }] }]);
  });

  test('a stop that cannot be logged is one all the same, and says so', async () => {
    const { stateDir, addLetters, openDesk } = await setLetters();
    await addLetters(1, 'gone');
    const desk = openDesk({ openLog: fullLog(stateDir, ({ event }) => event === 'drop') });
    const run = await planned(desk, askedOf('purge'));
    await desk.drop(run.facts.id, carl);
    expect(run).toMatchObject({
      state: 'dropped',
      notes: [
        expect.stringMatching(/^That carl@console has dropped it.* is not in the log of changes: .*ENOSPC/),
      ],
    });
  });
});

describe('a log of changes without room for its end', () => {
  test('a purge is told as far as it was done', async () => {
    const { stage, stateDir, addLetters, openDesk } = await setLetters();
    await addLetters(20, 'gone');
    let named = 0;
    const openLog = fullLog(stateDir, ({ event }) => event === 'end' || (event === 'letters' && ++named > 1));
    const desk = openDesk({ openLog });
    const run = await planned(desk, askedOf('purge'));
    await desk.confirm(run.facts.id, bob, 'purge 20');
    await over(run);
    const deleted = 20 - (await stage.deadLetters()).length;
    expect(deleted).toBeGreaterThan(0);
    expect(changeJson(run)).toMatchObject({
      state: 'ended',
      fault: expect.stringContaining('the disk is full (ENOSPC)'),
      notes: [expect.stringMatching(/^How it ended is not in the log of changes: .*ENOSPC/)],
      report: { purged: deleted, groups: [{ count: deleted }] },
    });
    const page = String(changePart(run));
    expect(page).toContain('Stopped: the log of changes');
    expect(page).toContain(`${deleted} letters deleted`);
    expect(page).toContain('How it ended is not in the log of changes');
  });

  test('a redrive that was done is told as done, and is not gone on with later', async () => {
    const { stage, stateDir, addLetters, openDesk } = await setLetters();
    await stage.worker.start();
    await addLetters(3, 'fixed');
    const desk = openDesk({ openLog: fullLog(stateDir, ({ event }) => event === 'end') });
    const run = await planned(desk, askedOf('redrive'));
    await desk.confirm(run.facts.id, bob);
    await over(run);
    expect(changeJson(run)).toMatchObject({
      fault: null,
      notes: [expect.stringContaining('How it ended is not in the log')],
      report: { redriven: 3, ends: 'good' },
    });
    expect(existsSync(join(stateDir, 'console-redrive.json'))).toBe(false);
  });
});

describe('while SQS does not answer, pages and the API say so, and since when', () => {
  test('in the middle of a redrive', async () => {
    const { addLetters, openDesk } = await setLetters();
    await addLetters(3, 'fixed');
    let time = Date.now();
    const asked = Promise.withResolvers<number>();
    const answered = Promise.withResolvers<void>();
    const desk = openDesk({ now: () => time }, (letters) => ({
      ...letters,
      redriveTo: async () => ({
        url: letters.source.url,
        attributes: () => letters.source.attributes(),
        sendForIds: async (messages) => {
          asked.resolve(time);
          await answered.promise;
          return await letters.source.sendForIds(messages);
        },
      }),
    }));
    const run = await planned(desk, askedOf('redrive'));
    await desk.confirm(run.facts.id, bob);
    const since = await asked.promise;
    expect(changeJson(run).away).toBeNull();
    time += 6_000;
    expect(changeJson(run)).toMatchObject({
      state: 'moving',
      away: { since: new Date(since).toISOString(), why: null },
    });
    const text = `SQS has not answered since ${instant(since)} UTC`;
    expect(String(changePart(run))).toContain(text);
    expect(String(overviewPart(desk, time))).toContain(text);
    answered.resolve();
    await expect.poll(() => run.state).toBe('ending');
    await desk.stop(run.facts.id, carl);
    await over(run);
    expect(changeJson(run)).toMatchObject({ sent: 3, away: null });
  });

  test('in the middle of a look', async () => {
    const { openDesk } = await setLetters();
    let time = Date.now();
    const answered = Promise.withResolvers<void>();
    const desk = openDesk({ now: () => time }, (letters) => ({
      ...letters,
      checkQueues: async () => await answered.promise,
    }));
    desk.lookAgain();
    expect(lookJson(desk).doing).toMatchObject({ what: 'looking', away: null });
    time += 6_000;
    expect(lookJson(desk).doing.away).toEqual({ since: new Date(time - 6_000).toISOString(), why: null });
    answered.resolve();
    await expect.poll(() => desk.doing.what).toBe('nothing');
  });
});

test('a redrive that could not be logged was not done, and is not gone on with later', async () => {
  const { stage, stateDir, addLetters, openDesk } = await setLetters();
  await addLetters(2, 'fixed');
  const desk = openDesk();
  const run = await planned(desk, askedOf('redrive'));
  mkdirSync(join(stateDir, 'dead-letters.log'));
  await desk.confirm(run.facts.id, bob);
  await over(run);
  expect(run.fault).toContain('dead-letters.log');
  expect(String(changePart(run))).toContain('Not done: ');
  const next = openDesk();
  await next.restore();
  expect(next.changes).toEqual([]);
  expect(await stage.deadLetters()).toHaveLength(2);
});

test('a redrive that cannot be kept for a restart is not begun', async () => {
  const { stage, stateDir, addLetters, openDesk } = await setLetters();
  await addLetters(2, 'fixed');
  const desk = openDesk();
  const run = await planned(desk, askedOf('redrive'));
  mkdirSync(join(stateDir, 'console-redrive.json'));
  await desk.confirm(run.facts.id, bob);
  await over(run);
  expect(run).toMatchObject({
    report: undefined,
    fault: expect.stringMatching(/console-redrive\.json cannot be written.*is not begun$/),
    notes: [expect.stringContaining('console-redrive.json cannot be removed')],
  });
  expect(await stage.deadLetters()).toHaveLength(2);
});
