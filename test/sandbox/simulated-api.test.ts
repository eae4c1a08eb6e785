import { describe, expect, test } from 'vitest';
import type { SimulatedApi } from '../../src/sandbox/simulated-api/index.ts';
import { startApi } from '../../testing/stages/api.ts';

const authorized = {
  authorization: 'AWS4-HMAC-SHA256 Credential=sandbox',
  'content-type': 'application/json',
};
const start = startApi;

function put(
  api: SimulatedApi,
  identifier: string,
  body: unknown,
  headers: Record<string, string> = authorized,
) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return fetch(`${api.url}/ota-tasks/${encodeURIComponent(identifier)}`, {
    method: 'PUT',
    headers,
    body: text,
  });
}

function get(api: SimulatedApi, path: string, headers: Record<string, string> = authorized) {
  return fetch(`${api.url}${path}`, { headers });
}

async function errorOf(response: Response) {
  const body = (await response.json()) as { message: string };
  return { status: response.status, name: response.headers.get('x-amzn-errortype'), ...body };
}

interface ListPage {
  readonly Tasks: readonly { readonly TaskId: string }[];
  readonly NextToken?: string;
}

describe('UpdateOtaTask', () => {
  test('answers 204 without a body and with a request id', async () => {
    const api = await start();
    const first = await put(api, 'a1', { Description: 'Nightly roll-out 7' });
    const second = await put(api, 'a1', { Description: 'Nightly roll-out 8' });
    expect(first.status).toBe(204);
    expect(await first.text()).toBe('');
    expect(first.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
    expect(second.headers.get('x-amzn-requestid')).not.toBe(first.headers.get('x-amzn-requestid'));
  });

  test('keeps an omitted or null field, and changes LastUpdatedAt', async () => {
    let now = 1_700_000_000_000;
    const api = await start({ now: () => now });
    await put(api, 'a1', { Description: 'one', TaskConfigurationId: 'cfgB7' });
    now += 1500;
    await put(api, 'a1', { Description: 'two', TaskConfigurationId: null });
    expect(api.task('a1')).toMatchObject({
      Description: 'two',
      TaskConfigurationId: 'cfgB7',
      LastUpdatedAt: 1_700_000_001.5,
    });
    now += 1500;
    await put(api, 'a1', '{}');
    expect(api.task('a1')).toMatchObject({ Description: 'two', LastUpdatedAt: 1_700_000_003 });
  });

  test('ignores unknown fields, as the service does', async () => {
    const api = await start();
    expect((await put(api, 'a1', { Nonsense: 1, Description: 'x' })).status).toBe(204);
  });

  test.each([
    ['Identifier', 'a-b', { Description: 'x' }],
    ['Identifier', 'a/b c', { Description: 'x' }],
    ['Identifier', 'a'.repeat(201), { Description: 'x' }],
    ['Identifier', '', { Description: 'x' }],
    ['Description', 'a1', { Description: '' }],
    ['Description', 'a1', { Description: 'x'.repeat(257) }],
    ['Description', 'a1', { Description: 'not: allowed' }],
    ['Description', 'a1', { Description: 'line\n' }],
    ['Description', 'a1', { Description: 7 }],
    ['TaskConfigurationId', 'a1', { TaskConfigurationId: '' }],
    ['TaskConfigurationId', 'a1', { TaskConfigurationId: 'c'.repeat(65) }],
    ['TaskConfigurationId', 'a1', { TaskConfigurationId: 'cfg-1' }],
  ])('rejects an invalid %s by name, without applying (%j %j)', async (field, identifier, body) => {
    const api = await start();
    const error = await errorOf(await put(api, identifier, body));
    expect(error).toMatchObject({ status: 400, name: 'ValidationException' });
    expect(error.message).toContain(`'${field}'`);
    expect(api.stats().applied).toBe(0);
  });

  test('accepts values at the limits of their lengths', async () => {
    const api = await start();
    const body = { Description: '- _'.repeat(85).concat('x'), TaskConfigurationId: 'c'.repeat(64) };
    expect((await put(api, 'a'.repeat(200), body)).status).toBe(204);
  });

  test('names every invalid field in one answer', async () => {
    const api = await start();
    const error = await errorOf(await put(api, 'a-b', { Description: '', TaskConfigurationId: '?' }));
    expect(error.message).toMatch(
      /^3 validation errors detected: .*'Identifier'.*'Description'.*'TaskConfigurationId'/,
    );
  });

  test.each(['{', '[]', '"x"', 'null'])('rejects the body %s, which is not a JSON object', async (body) => {
    const api = await start();
    expect(await errorOf(await put(api, 'a1', body))).toMatchObject({
      status: 400,
      name: 'SerializationException',
    });
  });

  test('accepts a body without a content type', async () => {
    const api = await start();
    const body = new Uint8Array(Buffer.from('{"Description":"x"}'));
    const { authorization } = authorized;
    const answer = await fetch(`${api.url}/ota-tasks/a1`, {
      method: 'PUT',
      headers: { authorization },
      body,
    });
    expect(answer.status).toBe(204);
    expect(api.task('a1')?.Description).toBe('x');
  });

  test('refuses a request without an Authorization header', async () => {
    const api = await start();
    expect(await errorOf(await put(api, 'a1', {}, {}))).toMatchObject({
      status: 403,
      name: 'MissingAuthenticationTokenException',
    });
  });
});

describe('the wire', () => {
  test('has a request id even when no operation matches or the path cannot be decoded', async () => {
    const api = await start();
    const unknown = await fetch(`${api.url}/nothing`, { method: 'POST' });
    expect(unknown.headers.get('x-amzn-requestid')).toBeTruthy();
    expect(await errorOf(unknown)).toMatchObject({ status: 404, name: 'UnknownOperationException' });
    const undecodable = await get(api, '/ota-tasks/%E0%A4%A');
    expect(undecodable.headers.get('x-amzn-requestid')).toBeTruthy();
    expect(await errorOf(undecodable)).toMatchObject({ status: 400, name: 'ValidationException' });
  });

  test('rejects a body of more than 1 MiB', async () => {
    const api = await start();
    const error = await errorOf(await put(api, 'a1', 'x'.repeat(1_048_577)));
    expect(error).toMatchObject({ status: 413, name: 'RequestEntityTooLargeException' });
  });
});

describe('the tasks', () => {
  test('all exist, except those with the excepted prefix and those listed', async () => {
    const api = await start({ settings: { tasks: { kind: 'all', exceptPrefix: 'gone', except: ['x9'] } } });
    expect((await put(api, 'any1', {})).status).toBe(204);
    for (const identifier of ['gone1', 'x9']) {
      expect(await errorOf(await put(api, identifier, {}))).toMatchObject({
        status: 404,
        name: 'ResourceNotFoundException',
        ResourceId: identifier,
        ResourceType: 'OtaTask',
      });
      expect(api.task(identifier)).toBeUndefined();
    }
  });

  test('are only the listed ones if a list is given', async () => {
    const api = await start({ settings: { tasks: { kind: 'listed', identifiers: ['a1', 'a2'] } } });
    expect((await put(api, 'a2', {})).status).toBe(204);
    expect((await get(api, '/ota-tasks/a1')).status).toBe(200);
    expect((await put(api, 'a3', {})).status).toBe(404);
    expect((await get(api, '/ota-tasks/a3')).status).toBe(404);
  });

  test('can be a million numbered ones, each of which can be updated and listed', async () => {
    const api = await start({ settings: { tasks: { kind: 'numbered', prefix: 'task', count: 1_000_000 } } });
    expect((await put(api, 'task1000000', { Description: 'last' })).status).toBe(204);
    for (const identifier of ['task0', 'task01', 'task1000001', 'task', 'job1']) {
      expect((await put(api, identifier, {})).status).toBe(404);
    }
    expect(api.task('task1000000')?.Description).toBe('last');
  });

  test('are answered by GetOtaTask with plausible fields and times in epoch seconds', async () => {
    const api = await start({ now: () => 1_700_000_000_000 });
    const response = await get(api, '/ota-tasks/a1');
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    const { TaskProcessingDetails, ...task } = (await response.json()) as Record<string, unknown>;
    expect(task).toEqual(api.task('a1'));
    expect(TaskProcessingDetails).toMatchObject({ numberOfSucceededThings: 10, NumberOfFailedThings: 0 });
    expect(task).toMatchObject({ TaskId: 'a1', TaskArn: expect.stringMatching(/:ota-task\/a1$/) });
    expect(task.CreatedAt).toBeGreaterThan(1_690_000_000);
    expect(task.CreatedAt).toBeLessThanOrEqual(1_700_000_000);
  });

  test('are not returned for an invalid Identifier or without credentials', async () => {
    const api = await start();
    expect(await errorOf(await get(api, '/ota-tasks/a-b'))).toMatchObject({ name: 'ValidationException' });
    expect(await errorOf(await get(api, '/ota-tasks/a1', {}))).toMatchObject({
      name: 'MissingAuthenticationTokenException',
    });
  });
});

describe('ListOtaTasks', () => {
  test('lists every task once, by default 100 per page', async () => {
    const api = await start({ settings: { tasks: { kind: 'numbered', prefix: 't', count: 250 } } });
    const seen: string[] = [];
    const sizes: number[] = [];
    let token: string | undefined;
    do {
      const query = token === undefined ? '' : `?NextToken=${token}`;
      const page = (await (await get(api, `/ota-tasks${query}`)).json()) as ListPage;
      seen.push(...page.Tasks.map((task) => task.TaskId));
      sizes.push(page.Tasks.length);
      token = page.NextToken;
    } while (token !== undefined);
    expect(sizes).toEqual([100, 100, 50]);
    expect(new Set(seen).size).toBe(250);
  });

  test('returns no token when the last task ends the page', async () => {
    const api = await start({ settings: { tasks: { kind: 'listed', identifiers: ['a1', 'a2', 'a2'] } } });
    const page = (await (await get(api, '/ota-tasks?MaxResults=2')).json()) as ListPage;
    expect(page.Tasks.map((task) => task.TaskId)).toEqual(['a1', 'a2']);
    expect(page).not.toHaveProperty('NextToken');
  });

  test('lists the tasks called for so far when every Identifier exists', async () => {
    const api = await start();
    await put(api, 'b2', {});
    await get(api, '/ota-tasks/a1');
    const page = (await (await get(api, '/ota-tasks?MaxResults=1000')).json()) as ListPage;
    expect(page.Tasks.map((task) => task.TaskId)).toEqual(['b2', 'a1']);
  });

  test.each(['MaxResults=0', 'MaxResults=1001', 'MaxResults=x', 'MaxResults=', 'MaxResults=1&MaxResults=2'])(
    'refuses %s',
    async (query) => {
      const api = await start();
      const error = await errorOf(await get(api, `/ota-tasks?${query}`));
      expect(error).toMatchObject({ status: 400, name: 'ValidationException' });
      expect(error.message).toContain("'MaxResults'");
    },
  );

  test.each(['nonsense', '', 'b3RhLXRhc2tzLzE=', Buffer.from('ota-tasks/-1').toString('base64url')])(
    'refuses the token %j',
    async (token) => {
      const api = await start();
      const error = await errorOf(await get(api, `/ota-tasks?NextToken=${encodeURIComponent(token)}`));
      expect(error).toMatchObject({ status: 400, name: 'ValidationException' });
      expect(error.message).toContain("'NextToken'");
    },
  );
});
