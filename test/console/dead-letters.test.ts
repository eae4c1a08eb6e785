/** Dead letters by the console: looked at, put back with canaries and followed to their end, deleted, and gone on with after a kill. */
import { once } from 'node:events';
import { mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { changeJson } from '../../src/console/api/letter-shapes.ts';
import type { Asked } from '../../src/console/dead-letters/asked.ts';
import { changePart } from '../../src/console/dead-letters/change-page.ts';
import type { ChangeRun } from '../../src/console/dead-letters/change-run.ts';
import type { Desk } from '../../src/console/dead-letters/desk.ts';
import { keepUnfinished, readUnfinished } from '../../src/console/dead-letters/unfinished.ts';
import { openAudit } from '../../src/dead-letters/changes/audit.ts';
import { readChanges } from '../../src/dead-letters/desk/log.ts';
import { lettersSections, over, setLetters } from '../../testing/console/letters.ts';
import { type Answer, ask, formTokenOf, serveConsole, signIn, tokens } from '../../testing/console/serve.ts';

const looked = async (desk: Desk): Promise<void> => {
  desk.lookAgain();
  await expect
    .poll(() => [desk.doing.what, desk.lookFault, desk.look !== undefined], { timeout: 20_000 })
    .toEqual(['nothing', undefined, true]);
};

/** A console before a stage with letters, and an operator's browser. */
async function opened() {
  const set = await setLetters();
  const desk = set.openDesk();
  const url = await serveConsole({
    sections: lettersSections(desk, {
      'dead letters': async (most) => {
        const changes = await readChanges(set.stateDir, most);
        return typeof changes === 'string'
          ? { away: changes }
          : changes.map(({ at, by, action, reason, letters }) => ({
              at,
              who: by,
              what: action,
              why: reason,
              detail: `${letters}`,
            }));
      },
    }),
  });
  const cookie = await signIn(url, tokens.ann);
  const get = (path: string): Promise<Answer> => ask(`${url}${path}`, { headers: { cookie } });
  const post = async (path: string, form: Record<string, string>): Promise<Answer> => {
    const formToken = await formTokenOf(`${url}/dead-letters`, cookie);
    return await ask(`${url}${path}`, { headers: { cookie }, form: { formToken, ...form } });
  };
  return { ...set, desk, url, cookie, get, post };
}

const bob = { by: 'bob@console', reason: 'ann asked me to' };

/** The run that a page of a change is of. */
const runOf = (desk: Desk, { headers }: Answer): ChangeRun | undefined =>
  desk.changes.find(({ facts }) => facts.id === String(headers.location).split('/').at(-1));

test('causes with counts and examples; a cause; a letter with record and body', async () => {
  const { desk, addLetters, get } = await opened();
  await addLetters(12, 'fixed');
  await addLetters(3, 'gone', { name: 'ValidationException', status: 400, message: '<b>"no"</b>' });
  expect((await get('/dead-letters')).body).toContain('Looking at the queue');
  await looked(desk);
  const { body } = await get('/dead-letters');
  expect(body).toMatch(/Rejected: ResourceNotFoundException \(404\)<\/a><\/th><td[^>]*>12<\/td>/);
  expect(body).toMatch(/Rejected: ValidationException \(400\)<\/a><\/th><td[^>]*>3<\/td>/);
  expect(body).not.toContain('<b>');
  const [, group = ''] = /\/dead-letters\/groups\/([0-9a-f]{8})">Rejected: Resource/.exec(body) ?? [];
  const page = (await get(`/dead-letters/groups/${group}`)).body;
  expect(page.match(/name="id"/g)).toHaveLength(12);
  const [, letter = ''] = /href="(\/dead-letters\/letters\/[^"]+)">fixed3</.exec(page) ?? [];
  const shown = (await get(letter)).body;
  expect(shown).toContain('&quot;Identifier&quot;: &quot;fixed3&quot;');
  expect(shown).toContain('OTA task task1 was not found');
  expect((await get('/dead-letters/groups/00000000')).status).toBe(404);
  expect((await get('/dead-letters/letters/%00')).status).toBe(404);
});

test('a group is put back after its canaries, and followed until all have ended', async () => {
  const { desk, stage, addLetters, post, get, stateDir } = await opened();
  await stage.worker.start();
  await addLetters(25, 'fixed');
  await looked(desk);
  const group = desk.look?.groups.all()[0]?.group ?? '';
  const planned = await post('/dead-letters/plan', {
    action: 'redrive',
    group,
    canary: '5',
    reason: 'fixed by ann',
  });
  const run = runOf(desk, planned);
  await expect.poll(() => run?.state).toBe('planned');
  expect((await get(String(planned.headers.location))).body).toContain('Put back 25 letters');
  expect(stage.settled()).toHaveLength(0);
  const path = String(planned.headers.location);
  expect((await post(`${path}/confirm`, { reason: 'fixed by ann' })).status).toBe(303);
  expect((await post(`${path}/confirm`, { reason: 'fixed by ann' })).status).toBe(409);
  await over(run);
  expect(run).toMatchObject({
    fault: undefined,
    report: { redriven: 25, canary: { verdict: 'good' }, ends: { verdict: 'good' } },
  });
  expect(stage.settled('acknowledge')).toHaveLength(25);
  expect((await get(path)).body).toContain('25 letters put back; none came back.');
  expect(await readChanges(stateDir, 10)).toMatchObject([
    {
      action: 'redrive',
      by: 'ann@console',
      reason: 'fixed by ann',
      letters: 25,
      end: { result: { ends: 'good' } },
    },
  ]);
  expect((await get('/changes')).body).toContain('fixed by ann');
});

test('a selection is put back, and canaries that come back stop the others', async () => {
  const { desk, stage, addLetters, post, get } = await opened();
  await stage.worker.start();
  await addLetters(8, 'gone');
  await looked(desk);
  const group = desk.look?.groups.all()[0]?.group ?? '';
  const some = [...(desk.look?.letters.keys() ?? [])].slice(0, 1);
  const one = await post('/dead-letters/plan', { action: 'redrive', group, id: some[0] ?? '', reason: 'x' });
  await expect.poll(() => runOf(desk, one)?.state).toBe('planned');
  expect(runOf(desk, one)?.chosen.size).toBe(1);
  await post(`${one.headers.location}/drop`, { reason: 'x' });
  const all = await post('/dead-letters/plan', {
    action: 'redrive',
    group,
    canary: '2',
    rate: '100',
    reason: 'x',
  });
  await expect.poll(() => runOf(desk, all)?.state).toBe('planned');
  await post(`${all.headers.location}/confirm`, { reason: 'x' });
  await over(runOf(desk, all));
  expect(runOf(desk, all)).toMatchObject({ report: { redriven: 2, canary: { verdict: 'came-back' } } });
  expect((await get(String(all.headers.location))).body).toContain('The cause is not fixed.');
});

test('letters are deleted after their number is typed, and not before', async () => {
  const { desk, addLetters, post, stage, stateDir } = await opened();
  await addLetters(4, 'gone');
  await looked(desk);
  const group = desk.look?.groups.all()[0]?.group ?? '';
  const planned = await post('/dead-letters/plan', {
    action: 'purge',
    group,
    limit: '3',
    reason: 'nobody wants them',
  });
  await expect.poll(() => runOf(desk, planned)?.state).toBe('planned');
  const confirm = (phrase: string) => post(`${planned.headers.location}/confirm`, { reason: 'x', phrase });
  expect((await confirm('purge')).body).toContain('type &quot;purge 3&quot;, exactly');
  expect((await confirm('')).status).toBe(400);
  expect((await confirm('purge 3')).status).toBe(303);
  await over(runOf(desk, planned));
  expect(runOf(desk, planned)).toMatchObject({ report: { purged: 3 } });
  expect(await stage.deadLetters()).toHaveLength(1);
  const log = await readChanges(stateDir, 10);
  expect(log).toMatchObject([{ by: 'ann@console', reason: 'x', what: { planReason: 'nobody wants them' } }]);
  expect(runOf(desk, planned)?.sent).toBe(3);
});

describe('what is asked for wrongly', () => {
  test.each([
    ['no reason', { action: 'redrive', group: 'aaaaaaaa' }],
    ['no group', { action: 'redrive', reason: 'x' }],
    ['another action', { action: 'drop', group: 'aaaaaaaa', reason: 'x' }],
    ['a limit of words', { action: 'redrive', group: 'aaaaaaaa', limit: 'all', reason: 'x' }],
    ['a rate of 0', { action: 'redrive', group: 'aaaaaaaa', rate: '0', reason: 'x' }],
    ['a rate of a purge', { action: 'purge', group: 'aaaaaaaa', rate: '1', reason: 'x' }],
    ['an id that is too short', { action: 'redrive', group: 'aaaaaaaa', id: 'a', reason: 'x' }],
  ])('with %s changes nothing', async (_what, form) => {
    const { desk, post } = await opened();
    const { status, body } = await post('/dead-letters/plan', form as Record<string, string>);
    expect(status).toBe(400);
    expect(body).toContain('Nothing was changed.');
    expect(desk.changes).toEqual([]);
  });

  test('a field of a redrive in the form of a purge is named by its label', async () => {
    const { post } = await opened();
    const form = { action: 'purge', group: 'aaaaaaaa', reason: 'x', limit: '', rate: '', canary: '' };
    for (const [more, label] of [
      [{ rate: '2' }, 'Per second'],
      [{ canary: '2' }, 'First only'],
      [{ force: 'yes' }, 'Also those that were put back too often, …'],
    ] as const)
      expect((await post('/dead-letters/plan', { ...form, ...more })).body).toContain(
        `&quot;${label}&quot;: is for a redrive, and a purge takes none.`,
      );
  });

  test('two changes at once: the second one is told to wait', async () => {
    const { desk, addLetters, post, stage } = await opened();
    await addLetters(3, 'fixed');
    await looked(desk);
    const group = desk.look?.groups.all()[0]?.group ?? '';
    const asked = { action: 'redrive', group, reason: 'x' };
    const first = await post('/dead-letters/plan', asked);
    await expect.poll(() => runOf(desk, first)?.state).toBe('planned');
    await post(`${first.headers.location}/confirm`, asked);
    // No worker: it waits for their end.
    await expect.poll(() => runOf(desk, first)?.state).toBe('ending');
    expect((await post('/dead-letters/plan', asked)).status).toBe(409);
    await post(`${first.headers.location}/stop`, { reason: 'enough' });
    await over(runOf(desk, first));
    expect(stage.left().ready).toBe(3);
  });

  test('two changes that both wait for the end of a look: one begins, the other one is told to wait', async () => {
    const { desk, addLetters } = await opened();
    await addLetters(3, 'fixed');
    await looked(desk);
    const where = [`group=${desk.look?.groups.all()[0]?.group}`];
    const none = { limit: undefined, rate: undefined, canary: undefined, force: false };
    const asked: Asked = { action: 'redrive', where, ...none };
    desk.lookAgain();
    expect(desk.doing.what).toBe('looking');
    const who = { by: 'ann', reason: 'x' };
    const both = await Promise.allSettled([desk.plan(asked, who), desk.plan(asked, who)]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(desk.changes).toHaveLength(1);
    await expect.poll(() => desk.changes[0]?.state).toBe('planned');
  });
});

test('a redrive that is cut off goes on with the next console, with the letters that were agreed to', async () => {
  const set = await setLetters();
  await set.addLetters(6, 'fixed');
  const first = set.openDesk();
  await looked(first);
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
    expect(waits[0]?.page).toContain('waiting for letters that the process before has held');
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
    const why = '3 of the 8 letters agreed to were not put back: not seen on the queue';
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
      '5 of the 8 letters agreed to were not put back: the change was stopped',
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
