/** The HTTP API: its document is valid and is that of the routes, and a client made from it plans, applies and steers a job. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { OpenAPIClientAxios } from 'openapi-client-axios';
import { expect, test } from 'vitest';
import { setConsoleJobs } from '../../testing/console/jobs.ts';
import { ask, tokens } from '../../testing/console/serve.ts';

test('the document is one of OpenAPI 3.1', async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(
    JSON.parse(readFileSync(join(import.meta.dirname, '../../schema/openapi.json'), 'utf8')),
  );
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
  expect(validator.version).toBe('3.1');
});

test('a client made from the document drives a job', async () => {
  const { url } = await setConsoleJobs({ send: false });
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const served = await ask(`${url}/api/v1/openapi.json`, { headers: bearer(tokens.vic) });
  const api = new OpenAPIClientAxios({
    definition: JSON.parse(served.body),
    axiosConfigDefaults: { baseURL: url, headers: bearer(tokens.ann), validateStatus: () => true },
  });
  const client = await api.init();
  const call = async (id: string, params: object | null = null, body?: unknown, headers = {}) => {
    const operation = client[id];
    if (operation === undefined) throw new Error(`there is no operation ${id}`);
    return await operation(params as never, body, { headers });
  };
  const csv = 'Identifier,TaskConfigurationId\ntask1,new\ntask2,new\n';
  const query = { reason: 'a test', job: 'j', refresh: 'false' };
  const made = await call('makePlan', query, csv, { 'content-type': 'text/csv' });
  expect(made).toMatchObject({ status: 200, data: { job: 'j' } });
  await expect
    .poll(async () => (await call('showPlan', { job: 'j' })).data, { timeout: 30_000 })
    .toMatchObject({ state: 'made', counts: { toChange: 2 } });
  const key = { 'Idempotency-Key': 'k1' };
  const first = await call('applyPlan', { job: 'j', ...key }, { reason: 'a test', settings: { rate: 5 } });
  expect(first).toMatchObject({ status: 200, data: { job: 'j' } });
  const again = await call('applyPlan', { job: 'j', ...key }, { reason: 'a test', settings: { rate: 5 } });
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
  expect((await call('pauseJob', { job: 'j' }, { reason: 'a test' })).status).toBe(200);
  expect(await call('pauseJob', { job: 'j' }, { reason: 'a test' })).toMatchObject({
    status: 409,
    data: { detail: 'Job j is paused: pause changes nothing.' },
  });
  expect((await call('pauseJob', { job: 'j' }, {})).status).toBe(400);
  expect((await call('showJob', { job: 'none' })).status).toBe(404);
  expect((await call('listChanges', { job: 'j' })).data.changes[0]).toMatchObject({
    what: 'pause',
    who: 'ann@console',
  });
  const viewer = await ask(`${url}/api/v1/jobs/j/resume`, { method: 'POST', headers: bearer(tokens.vic) });
  expect(viewer.status).toBe(403);
});
