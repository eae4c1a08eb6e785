/**
 * The HTTP API: its document is valid, and a client made from it does all that the document names, each answer as the document
 * says.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { letterRoutes } from '../../src/console/api/dead-letters.ts';
import { observeRoutes } from '../../src/console/api/observe.ts';
import { apiSection } from '../../src/console/api/serve.ts';
import { updatesOf } from '../../src/trace/updates.ts';
import { type ApiClient, makeApiClient } from '../../testing/console/api-client.ts';
import { setConsoleJobs } from '../../testing/console/jobs.ts';
import { setLetters } from '../../testing/console/letters.ts';
import { ask, serveConsole, tokens } from '../../testing/console/serve.ts';
import { apiHeaders } from '../../testing/stages/api.ts';
import { REGION } from '../../testing/stages/stage.ts';

const ofLostOutcomes = (path: string): boolean => /\/reconcil(e|iation)$/.test(path);
const ofJobs = (path: string): boolean =>
  /^\/api\/v1\/(jobs|plans)(\/|$)/.test(path) && !ofLostOutcomes(path);
const ofLetters = (path: string): boolean => /^\/api\/v1\/dead-letters(\/|$)/.test(path);

const reason = 'a test';

const causes = z.object({ look: z.object({ groups: z.array(z.object({ group: z.string() })) }) });
const letters = z.object({
  letters: z.array(z.object({ messageId: z.string() })),
  next: z.number().nullable(),
});
const change = z.object({ change: z.string() });

test('the document is one of OpenAPI 3.1', async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(
    JSON.parse(readFileSync(join(import.meta.dirname, '../../schema/openapi.json'), 'utf8')),
  );
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
  expect(validator.version).toBe('3.1');
});

const made = async ({ call }: ApiClient, job: string): Promise<void> =>
  await expect.poll(async () => (await call('showPlan', { job })).data).toMatchObject({ state: 'made' });

test('a job is planned, applied, steered, verified and undone', async () => {
  const { url, stage } = await setConsoleJobs({ api: { tasks: { kind: 'all', exceptPrefix: 'gone' } } });
  const client = await makeApiClient(url, tokens.ann);
  const { call } = client;
  await stage.worker.start();
  const csv = 'Identifier,TaskConfigurationId\ntask1,new\ntask2,new\n';
  const asCsv = { 'content-type': 'text/csv' };
  expect(await call('makePlan', { reason, job: 'j' }, csv, asCsv)).toMatchObject({
    status: 200,
    data: { job: 'j' },
  });
  await made(client, 'j');
  expect((await call('listPlans')).data).toMatchObject({ plans: [{ job: 'j', by: 'ann@console' }] });
  const key = { 'Idempotency-Key': 'k1' };
  const settings = { rate: 5, startAt: '8h' };
  const first = await call('applyPlan', { job: 'j', ...key }, { reason, settings });
  expect(first).toMatchObject({ status: 200, data: { job: 'j' } });
  const again = await call('applyPlan', { job: 'j', ...key }, { reason, settings });
  expect(again).toMatchObject({ status: 200, data: { job: 'j' } });
  const other = await call('applyPlan', { job: 'j', ...key }, { reason: 'another' });
  expect(other).toMatchObject({ status: 422, data: { status: 422, type: 'about:blank' } });
  expect((await call('showJob', { job: 'j' })).data).toMatchObject({
    job: 'j',
    rows: 2,
    settings: { rate: 5 },
  });
  expect((await call('listJobs')).data).toMatchObject({ all: 1, jobs: [{ job: 'j' }] });
  expect((await call('listRows', { job: 'j', max: 1 })).data).toMatchObject({ rows: [{ Row: 1 }], next: 1 });
  expect((await call('pauseJob', { job: 'j' }, { reason })).status).toBe(200);
  expect(await call('pauseJob', { job: 'j' }, { reason })).toMatchObject({
    status: 409,
    data: { detail: 'Job j is paused: pause changes nothing.' },
  });
  for (const body of [{}, { reason: '' }, { reason: 7 }, { reason: '\u200b' }, { reason: '\ud800' }])
    expect(await call('pauseJob', { job: 'j' }, body)).toMatchObject({
      status: 400,
      data: {
        detail: expect.stringMatching(
          /^Say why: the log of changes needs a visible reason of 1 to 500 characters/,
        ),
      },
    });
  expect(await call('listRows', { job: 'j', max: 'x' })).toMatchObject({
    status: 400,
    data: { detail: 'max: must be a whole number from 1 to 1000, in digits.' },
  });
  expect(await call('setJob', { job: 'j' }, { reason, settings: { priority: 12 } })).toMatchObject({
    status: 400,
    data: { detail: 'settings.priority: must be at most 9.' },
  });
  expect((await call('showJob', { job: 'none' })).status).toBe(404);
  expect((await call('setJob', { job: 'j' }, { reason, unset: ['startAt'] })).status).toBe(200);
  expect((await call('resumeJob', { job: 'j' }, { reason })).status).toBe(200);
  const ended = async (job: string, counts: object): Promise<void> =>
    await expect
      .poll(async () => (await call('showJob', { job })).data)
      .toMatchObject({ state: { name: 'done' }, ...counts });
  await ended('j', { applied: 2 });
  expect((await call('showDevices', { job: 'j' })).data).toMatchObject({ state: 'none' });
  expect((await call('verifyJob', { job: 'j' }, { reason })).status).toBe(200);
  await expect
    .poll(async () => (await call('showDevices', { job: 'j' })).data)
    .toMatchObject({ state: 'seen', found: { tasks: 2 } });
  expect((await call('undoJob', { job: 'j' }, { reason, name: 'u' })).data).toEqual({ job: 'u' });
  await made(client, 'u');
  expect((await call('discardPlan', { job: 'u' }, { reason })).status).toBe(200);
  await call('makePlan', { reason, job: 'f', refresh: 'false' }, csv.replace('task2', 'gone2'), asCsv);
  await made(client, 'f');
  expect((await call('applyPlan', { job: 'f' }, { reason })).status).toBe(200);
  await ended('f', { applied: 1, failed: 1 });
  expect((await call('retryJob', { job: 'f' }, { reason })).data).toEqual({ job: 'f', rows: 1 });
  await ended('f', { applied: 1, failed: 1 });
  const live = { reason, job: 'l', where: { TaskId: ['task3'] }, set: { Description: 'x' } };
  expect((await call('planLiveTasks', {}, { ...live, set: {} })).status).toBe(400);
  expect((await call('planLiveTasks', {}, live)).status).toBe(200);
  await expect
    .poll(async () => (await call('showPlan', { job: 'l' })).data)
    .not.toMatchObject({ state: 'making' });
  for (const [job, end] of [
    ['s', 'stop'],
    ['c', 'cancel'],
  ]) {
    await call('makePlan', { reason, job, refresh: 'false' }, csv, asCsv);
    await made(client, job ?? '');
    await call('applyPlan', { job }, { reason, settings: { startAt: '8h' } });
    expect((await call(`${end}Job`, { job }, { reason })).status).toBe(200);
  }
  expect((await call('listChanges', { job: 'f' })).data).toMatchObject({
    changes: expect.arrayContaining([expect.objectContaining({ what: 'retry', who: 'ann@console' })]),
  });
  expect(client.undone(ofJobs)).toEqual([]);
  const vic = await makeApiClient(url, tokens.vic);
  expect(await vic.call('resumeJob', { job: 'j' }, { reason })).toMatchObject({
    status: 403,
    data: { status: 403 },
  });
});

test('a key that comes with another file is refused, and with the same one it has the first answer', async () => {
  const { url } = await setConsoleJobs({ send: false });
  const client = await makeApiClient(url, tokens.ann);
  const { call } = client;
  const csv = 'Identifier,TaskConfigurationId\ntask1,new\ntask2,new\n';
  const send = (file: string) =>
    call('makePlan', { reason, refresh: 'false', 'Idempotency-Key': 'k' }, file, {
      'content-type': 'text/csv',
    });
  const [first, second] = await Promise.all([send(csv), send(csv)]);
  expect(first.status).toBe(200);
  expect(second).toEqual(first);
  expect(await send(csv)).toEqual(first);
  const others = [
    csv.replace('task2', 'task3'),
    `${csv}task3,new\n`,
    csv.slice(0, -12),
    `${csv}${'task3,new\n'.repeat(100_000)}`,
  ];
  for (const other of others)
    expect(await send(other)).toMatchObject({
      status: 422,
      data: { detail: 'Idempotency-Key: this key was used with another request before.' },
    });
  expect((await call('listPlans')).data).toMatchObject({ plans: [first.data] });
});

test('a job whose outcomes were lost is reconciled by what its tasks say, and goes on', async () => {
  const { url, stage, run, plan, ids, ann, vic } = await setConsoleJobs({ send: false });
  const client = await makeApiClient(url, tokens.ann);
  const { call } = client;
  await plan(ids(25));
  const { promise: interrupt, resolve: pressCtrlC } = Promise.withResolvers<void>();
  const applying = run(['apply', 'j.jsonl', '--yes', '--window', '100'], { interrupt });
  await expect.poll(() => stage.left().ready).toBe(25);
  pressCtrlC();
  await applying;
  await stage.worker.start();
  await stage.ended(25);
  stage.sqs.deleteQueue('outcomes', { region: REGION });
  stage.sqs.createQueue('outcomes', { region: REGION });
  // Changed without the queue.
  await fetch(`${stage.api.url}/ota-tasks/task7`, {
    method: 'PUT',
    headers: apiHeaders,
    body: JSON.stringify({ TaskConfigurationId: 'other' }),
  });
  expect((await call('showReconciliation', { job: 'j' })).data).toMatchObject({ state: 'none' });
  expect((await vic.post('/jobs/of/j/reconcile')).status).toBe(403);
  expect((await ann.get('/jobs/of/j')).body).toContain('action="/jobs/of/j/reconcile"');
  expect((await call('reconcileJob', { job: 'j' }, {})).status).toBe(400);
  expect(await call('reconcileJob', { job: 'j' }, { reason })).toMatchObject({ status: 200 });
  await expect
    .poll(async () => (await call('showReconciliation', { job: 'j' })).data)
    .toMatchObject({ state: 'seen', found: { applied: 24, again: 1, gone: 0, unknown: 0 } });
  expect((await call('showJob', { job: 'j' })).data).toMatchObject({
    state: { name: 'running' },
    applied: 24,
    notSent: 1,
  });
  expect((await run(['resume', 'j'])).exitCode).toBe(0);
  expect((await call('showJob', { job: 'j' })).data).toMatchObject({
    state: { name: 'done' },
    applied: 25,
    reconciled: 24,
  });
  expect(stage.api.task('task7')?.TaskConfigurationId).toBe('new');
  expect((await ann.get('/jobs/of/j')).body).toMatch(
    /<h2>Reconciliation<\/h2>.*24, according to their tasks/s,
  );
  expect((await call('listChanges', { job: 'j' })).data).toMatchObject({
    changes: expect.arrayContaining([
      expect.objectContaining({ what: 'reconcile', who: 'ann@console', why: reason }),
    ]),
  });
  // Nothing is in flight any more.
  expect((await ann.post('/jobs/of/j/reconcile')).status).toBe(409);
  expect(client.undone(ofLostOutcomes)).toEqual([]);
});

test('a cause of dead letters is put back after its canaries, and letters are deleted', async () => {
  const { stage, addLetters, openDesk } = await setLetters();
  await stage.worker.start();
  await addLetters(12, 'fixed');
  await addLetters(3, 'gone', { name: 'ValidationException', status: 400, message: 'no' });
  const url = await serveConsole({ sections: [apiSection(letterRoutes(openDesk()), '0', Date.now)] });
  const client = await makeApiClient(url, tokens.ann);
  const { call } = client;
  await expect
    .poll(async () => (await call('listCauses')).data)
    .toMatchObject({ doing: { what: 'nothing' }, look: { groups: [{ count: 12 }, { count: 3 }] } });
  const [fixed, gone] = causes.parse((await call('listCauses')).data).look.groups;
  const page = letters.parse((await call('listLetters', { group: fixed?.group, max: 5, skip: 10 })).data);
  expect([page.letters.length, page.next]).toEqual([2, null]);
  const letter = page.letters[0]?.messageId;
  expect((await call('showLetter', { letter })).data).toMatchObject({
    MessageId: letter,
    Group: fixed?.group,
  });
  expect((await call('showLetter', { letter: 'none' })).status).toBe(404);
  expect((await call('planLetterChange', {}, { reason, action: 'redrive', group: 'all' })).status).toBe(400);

  const becomes = async (id: string, state: string): Promise<unknown> => {
    const show = async () => (await call('showLetterChange', { change: id })).data;
    await expect.poll(show).toMatchObject({ state });
    return await show();
  };
  const planned = async (wanted: object): Promise<string> => {
    const { data } = await call('planLetterChange', {}, { reason, ...wanted });
    const { change: id } = change.parse(data);
    await becomes(id, 'planned');
    return id;
  };
  const redrive = await planned({ action: 'redrive', group: fixed?.group, canary: 2, rate: 1_000 });
  expect((await call('showLetterChange', { change: redrive })).data).toMatchObject({
    letters: 12,
    sent: 0,
    plan: { dryRun: true, wouldRedrive: 12 },
    report: null,
  });
  expect((await call('confirmLetterChange', { change: redrive }, { reason })).status).toBe(200);
  expect(await becomes(redrive, 'ended')).toMatchObject({
    sent: 12,
    report: { redriven: 12, canary: 'good', ends: 'good' },
  });

  const purge = await planned({ action: 'purge', group: gone?.group, limit: 2 });
  expect(await call('confirmLetterChange', { change: purge }, { reason })).toMatchObject({
    status: 400,
    data: { detail: 'Nothing was deleted: type "purge 2", exactly.' },
  });
  expect((await call('confirmLetterChange', { change: purge }, { reason, phrase: 'purge 2' })).status).toBe(
    200,
  );
  expect(await becomes(purge, 'ended')).toMatchObject({ sent: 2, report: { purged: 2 } });
  expect(await stage.deadLetters()).toHaveLength(1);

  const dropped = await planned({ action: 'redrive', group: gone?.group });
  expect((await call('dropLetterChange', { change: dropped }, { reason })).data).toMatchObject({
    state: 'dropped',
  });
  expect((await call('stopLetterChange', { change: dropped }, { reason })).status).toBe(409);
  await addLetters(20, 'gone', { name: 'ValidationException', status: 400, message: 'no' });
  const slow = await planned({ action: 'redrive', group: gone?.group, rate: 1 });
  expect((await call('confirmLetterChange', { change: slow }, { reason })).status).toBe(200);
  expect(await call('stopLetterChange', { change: slow }, { reason: 'too slow' })).toMatchObject({
    status: 200,
    data: { state: 'stopping', stopped: { by: 'ann@console', reason: 'too slow' } },
  });
  await becomes(slow, 'ended');
  expect((await call('listLetterChanges')).data).toMatchObject({ changes: [{}, {}, {}, {}] });
  expect(client.undone(ofLetters)).toEqual([]);
});

test('what goes on, the last hour, one task, and who changed what', async () => {
  const status = { at: '2026-11-29T00:00:00.000Z', state: 'idle', sentence: 'Nothing to do' };
  const routes = observeRoutes({
    status: async () => ({ text: JSON.stringify(status), away: [{ what: 'workers', since: 0 }] }),
    samples: () => [{ at: 1, applied: 2, inForce: 3, limit: null, ceiling: 4, throttled: null }],
    changes: {
      jobs: async () => [{ at: 0, who: 'ann', what: 'pause: j', why: 'x', detail: '' }],
      'dead letters': async () => ({ away: 'the log cannot be read' }),
    },
    trace: async (identifier) => ({ identifier, task: undefined, updates: updatesOf([]), sources: [] }),
  });
  const url = await serveConsole({ sections: [apiSection(routes, '0', Date.now)] });
  const client = await makeApiClient(url, tokens.vic);
  const { call } = client;
  expect((await call('showStatus')).data).toEqual({
    ...status,
    away: [{ what: 'workers', since: '1970-01-01T00:00:00.000Z' }],
  });
  expect((await call('listSamples')).data).toMatchObject({
    values: [[1], [2], [3], [null], [4], [null]],
  });
  expect((await call('traceTask', { identifier: 'task1' })).data).toMatchObject({ identifier: 'task1' });
  expect((await call('traceTask', { identifier: 'no good' })).status).toBe(400);
  expect((await call('listAllChanges')).data).toEqual({
    changes: [{ at: '1970-01-01T00:00:00.000Z', who: 'ann', what: 'pause: j', why: 'x', detail: '' }],
    away: { 'dead letters': 'the log cannot be read' },
  });
  expect(client.undone((path) => !ofJobs(path) && !ofLetters(path) && !ofLostOutcomes(path))).toEqual([]);
});

test('what the console cannot do is a problem, and not a page', async () => {
  const routes = letterRoutes('QUEUE_URL: is required');
  const url = await serveConsole({ sections: [apiSection(routes, '0', Date.now)] });
  const { call } = await makeApiClient(url, tokens.ann);
  expect(await call('listCauses')).toMatchObject({
    status: 503,
    data: {
      title: 'Service Unavailable',
      detail: 'Dead letters cannot be looked at: QUEUE_URL: is required',
    },
  });
  for (const headers of [{}, { authorization: 'Bearer none' }]) {
    const { status, body } = await ask(`${url}/api/v1/dead-letters`, { headers });
    expect([status, JSON.parse(body).status]).toEqual([401, 401]);
  }
});
