/** Dead letters by the console: looked at, put back with canaries and followed to their end, and deleted. */
import { describe, expect, test } from 'vitest';
import type { Asked } from '../../src/console/dead-letters/asked.ts';
import type { ChangeRun } from '../../src/console/dead-letters/change-run.ts';
import type { Desk } from '../../src/console/dead-letters/desk.ts';
import { readChanges } from '../../src/dead-letters/desk/log.ts';
import { lettersSections, lookedAgain, over, setLetters } from '../../testing/console/letters.ts';
import { type Answer, ask, formTokenOf, serveConsole, signIn, tokens } from '../../testing/console/serve.ts';

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

/** The run that a page of a change is of. */
const runOf = (desk: Desk, { headers }: Answer): ChangeRun | undefined =>
  desk.changes.find(({ facts }) => facts.id === String(headers.location).split('/').at(-1));

test('causes with counts and examples; a cause; a letter with record and body', async () => {
  const { desk, addLetters, get } = await opened();
  await addLetters(12, 'fixed');
  await addLetters(3, 'gone', { name: 'ValidationException', status: 400, message: '<b>"no"</b>' });
  expect((await get('/dead-letters')).body).toContain('Looking at the queue');
  await lookedAgain(desk);
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
  await lookedAgain(desk);
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
  await lookedAgain(desk);
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
  await lookedAgain(desk);
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
      [{ canary: '2' }, 'Put back first'],
      [{ force: 'yes' }, 'Also those that were put back too often, …'],
    ] as const)
      expect((await post('/dead-letters/plan', { ...form, ...more })).body).toContain(
        `&quot;${label}&quot;: is only for a redrive, not for a purge.`,
      );
  });

  test('two changes at once: the second one is told to wait', async () => {
    const { desk, addLetters, post, stage } = await opened();
    await addLetters(3, 'fixed');
    await lookedAgain(desk);
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
    await lookedAgain(desk);
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
