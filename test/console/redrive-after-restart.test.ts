/** A redrive of the console that a kill or a restart has cut off: the next console goes on with it, and tells all of it. */
import { once } from 'node:events';
import { mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { changeJson } from '../../src/console/api/letter-shapes.ts';
import { changePart } from '../../src/console/dead-letters/change-page.ts';
import type { ChangeRun } from '../../src/console/dead-letters/change-run.ts';
import { keepUnfinished, readUnfinished } from '../../src/console/dead-letters/unfinished.ts';
import { openAudit } from '../../src/dead-letters/changes/audit.ts';
import { readChanges } from '../../src/dead-letters/desk/log.ts';
import { lookedAgain, over, setLetters } from '../../testing/console/letters.ts';

const bob = { by: 'bob@console', reason: 'ann asked me to' };

test('a redrive that is cut off goes on with the next console, with the letters that were agreed to', async () => {
  const set = await setLetters();
  await set.addLetters(6, 'fixed');
  const first = set.openDesk();
  await lookedAgain(first);
  const group = first.look?.groups.all()[0]?.group ?? '';
  const asked = {
    action: 'redrive',
    where: [`group=${group}`],
    limit: undefined,
    rate: 1,
    canary: undefined,
    force: false,
  } as const;
  const run = await first.plan(asked, { by: 'ann@console', reason: 'slowly' });
  await expect.poll(() => run.state).toBe('planned');
  await first.confirm(run.facts.id, bob);
  await expect.poll(() => run.sent).toBe(2);
  await first.close();
  await set.addLetters(1, 'late');
  expect(readFileSync(join(set.stateDir, 'console-redrive.json'), 'utf8')).toContain('slowly');
  await set.stage.worker.start();
  const second = set.openDesk();
  await second.restore();
  second.resume();
  const [again] = second.changes;
  await over(again);
  expect(again).toMatchObject({
    resumed: true,
    fault: undefined,
    facts: { by: 'ann@console', reason: 'slowly' },
    confirmed: bob,
    sent: 6,
    report: { matched: 6, redriven: 6 },
  });
  expect(await readChanges(set.stateDir, 1)).toMatchObject([{ end: { result: { redriven: 6 } } }]);
  expect(set.stage.settled('acknowledge').length).toBe(6);
  expect(await set.stage.deadLetters()).toHaveLength(1);
  await second.close();
  const third = set.openDesk();
  await third.restore();
  third.resume();
  expect(third.changes).toEqual([]);
});

describe('a redrive that is gone on with after a kill', () => {
  /** 8 letters agreed to: 2 put back, 1 named in the log and not put back, 3 held by the killed process, 2 that it had not come to. */
  async function killed() {
    const set = await setLetters();
    const { addLetters, openDesk, stage, stateDir } = set;
    await stage.worker.start();
    await addLetters(8, 'fixed');
    const all = await stage.dead.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 600 });
    expect(all).toHaveLength(8);
    const handles = all.map(({ receiptHandle }) => receiptHandle);
    const show = (some: readonly string[]) =>
      stage.dead.changeVisibility(some.map((receiptHandle) => ({ receiptHandle, seconds: 0 })));
    await stage.dead.delete(handles.slice(0, 2));
    await show([...handles.slice(2, 3), ...handles.slice(6)]);
    const ids = all.map(({ messageId }) => messageId);
    const facts = {
      id: 'f0000000-0000-4000-8000-000000000000',
      asked: {
        action: 'redrive',
        where: ['reason=Rejected'],
        force: false,
        limit: undefined,
        rate: undefined,
        canary: 1,
      },
      by: 'ann@console',
      reason: 'x',
    } as const;
    const ofAnother = await openAudit(stateDir, { run: 'another', action: 'redrive', ...bob }, Date.now);
    await ofAnother.write({
      event: 'letters',
      letters: ids.slice(3, 6).map((messageId) => ({ messageId, cause: `as of ${facts.id}` })),
    });
    await ofAnother.close();
    const log = await openAudit(stateDir, { run: facts.id, action: 'redrive', ...bob }, Date.now);
    await log.write({ event: 'begin', what: {} });
    await log.write({
      event: 'letters',
      letters: ids.slice(0, 3).map((messageId) => ({ messageId, cause: '' })),
    });
    await log.close();
    await keepUnfinished(stateDir, { facts, confirmed: bob, chosen: new Set(ids), letGo: false });
    const waits: { readonly ms: number; readonly sent: number | undefined; readonly page: string }[] = [];
    /** @param whenFree does what happens while it waits. */
    const goOn = async (whenFree: () => Promise<unknown>): Promise<ChangeRun | undefined> => {
      const desk = openDesk({
        sleep: async (ms) => {
          const [run] = desk.changes;
          waits.push({ ms, sent: run?.sent, page: run === undefined ? '' : String(changePart(run)) });
          await whenFree();
        },
      });
      await desk.restore();
      desk.resume();
      const [run] = desk.changes;
      await over(run);
      return run;
    };
    return { ...set, goOn, waits, letGo: () => show(handles.slice(3, 6)) };
  }

  test('what the killed process holds is waited for, and all that was put back is counted once', async () => {
    const { goOn, waits, letGo, stage, stateDir } = await killed();
    const run = await goOn(letGo);
    expect(waits).toEqual([
      { ms: expect.any(Number), sent: 3, page: expect.stringContaining('3 of 8 put back') },
    ]);
    expect(waits[0]?.ms).toBeGreaterThan(100_000);
    expect(waits[0]?.page).toContain('waiting for letters that the previous process held');
    expect(run).toMatchObject({
      fault: undefined,
      sent: 8,
      report: { matched: 8, redriven: 8, ends: { verdict: 'good' } },
    });
    expect(stage.settled('acknowledge')).toHaveLength(6);
    expect(await readChanges(stateDir, 1)).toMatchObject([{ end: { result: { matched: 8, redriven: 8 } } }]);
    const page = String(changePart(run as ChangeRun));
    expect(page).toContain('8 letters put back; none came back.');
    expect(page).toContain('2 of these were put back before the restart: how those ended is not known.');
    expect(page).not.toContain('were not put back');
    expect(changeJson(run as ChangeRun)).toMatchObject({ sent: 8, sentBefore: 2, notDone: null });
  });

  test('what is held beyond that is told as not put back', async () => {
    const { goOn, stage } = await killed();
    const run = (await goOn(async () => {})) as ChangeRun;
    expect(run).toMatchObject({ sent: 5, report: { matched: 5, redriven: 5 } });
    expect(stage.settled('acknowledge')).toHaveLength(3);
    const why = '3 of the 8 confirmed letters were not put back: not seen on the queue';
    expect(String(changePart(run))).toContain(why);
    expect(changeJson(run)).toMatchObject({
      sent: 5,
      sentBefore: 2,
      notDone: expect.stringContaining(why),
    });
  });

  test('one that is stopped while it waits puts none back, and the next console does not go on', async () => {
    const { openDesk, stage, stateDir } = await killed();
    const desk = openDesk({ sleep: (_ms, signal) => once(signal, 'abort').then(() => {}) });
    await desk.restore();
    desk.resume();
    const run = desk.changes[0] as ChangeRun;
    await expect.poll(() => run.state).toBe('waiting');
    await desk.stop(run.facts.id, bob);
    await over(run);
    expect(run).toMatchObject({ state: 'ended', fault: undefined, report: { redriven: 3 } });
    expect(String(changePart(run))).toContain(
      '5 of the 8 confirmed letters were not put back: the change was stopped',
    );
    expect(stage.settled('acknowledge')).toHaveLength(0);
    expect(await readUnfinished(stateDir)).toBeUndefined();
  });

  test('a console that ends while it waits leaves the next one the wait', async () => {
    const { openDesk, stateDir } = await killed();
    const second = openDesk({ sleep: (_ms, signal) => once(signal, 'abort').then(() => {}) });
    await second.restore();
    second.resume();
    await expect.poll(() => second.changes[0]?.state).toBe('waiting');
    await second.close();
    expect(await readUnfinished(stateDir)).toMatchObject({ letGo: false });
  });

  test('a log that cannot be read says that the count is not known', async () => {
    const { goOn, letGo, stateDir } = await killed();
    renameSync(join(stateDir, 'dead-letters.log'), join(stateDir, 'old.log'));
    mkdirSync(join(stateDir, 'dead-letters.log'));
    const run = await goOn(letGo);
    expect(run?.notes).toEqual([
      expect.stringMatching(
        /^How many letters were put back before the restart is not known: .*dead-letters\.log/,
      ),
    ]);
  });
});
