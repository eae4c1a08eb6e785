import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SimulatedApi } from '../../src/sandbox/simulated-api/index.ts';
import { apiHeaders as headers, startApi } from '../../testing/stages/api.ts';

type Json = Readonly<Record<string, unknown>>;

async function send(api: SimulatedApi, method: string, path: string, body?: unknown) {
  const response = await fetch(`${api.url}${path}`, {
    method,
    headers,
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    name: response.headers.get('x-amzn-errortype'),
    body: (text === '' ? {} : JSON.parse(text)) as Json,
  };
}

describe('task configurations', () => {
  test('exist as the settings say, each with settings of its own that do not change', async () => {
    const api = await startApi({ settings: { configurations: { kind: 'all', exceptPrefix: 'unknown' } } });
    const first = await send(api, 'GET', '/ota-task-configurations/cfgB7');
    expect(first).toMatchObject({
      status: 200,
      body: {
        TaskConfigurationId: 'cfgB7',
        PushConfig: { TimeoutConfig: {}, RolloutConfig: {}, AbortConfig: {} },
      },
    });
    expect(await send(api, 'GET', '/ota-task-configurations/cfgB7')).toEqual(first);
    const other = await send(api, 'GET', '/ota-task-configurations/cfgC1');
    expect(other.body.PushConfig).not.toEqual(first.body.PushConfig);
    expect(await send(api, 'GET', '/ota-task-configurations/unknown1')).toMatchObject({
      status: 404,
      name: 'ResourceNotFoundException',
      body: { ResourceId: 'unknown1', ResourceType: 'OtaTaskConfiguration' },
    });
  });

  test('are created once for a client token, listed, and cannot be changed', async () => {
    const api = await startApi({ settings: { configurations: { kind: 'listed', ids: ['one'] } } });
    const wanted = { Name: 'n', ClientToken: 't', Unheard: 1 };
    const created = await send(api, 'POST', '/ota-task-configurations', wanted);
    expect(created.status).toBe(201);
    expect(await send(api, 'POST', '/ota-task-configurations', wanted)).toEqual(created);
    expect(await send(api, 'POST', '/ota-task-configurations', { ...wanted, Name: 'm' })).toMatchObject({
      status: 409,
      name: 'ConflictException',
    });
    const first = await send(api, 'GET', '/ota-task-configurations?MaxResults=1');
    expect(first.body.Items).toMatchObject([{ TaskConfigurationId: 'one' }]);
    const second = await send(api, 'GET', `/ota-task-configurations?NextToken=${first.body.NextToken}`);
    expect(second.body).toMatchObject({ Items: [{ ...created.body, Name: 'n' }] });
    expect(second.body.NextToken).toBeUndefined();
    expect(await send(api, 'GET', `/ota-tasks?NextToken=${first.body.NextToken}`)).toMatchObject({
      status: 400,
    });
  });

  test.each([
    ['Name', { Name: '' }],
    ['Name', { Name: 'a/b' }],
    ['Description', { Description: 'x'.repeat(257) }],
    [
      'PushConfig.TimeoutConfig.InProgressTimeoutInMinutes',
      { PushConfig: { TimeoutConfig: { InProgressTimeoutInMinutes: 0 } } },
    ],
    [
      'PushConfig.RolloutConfig.ExponentialRolloutRate.IncrementFactor',
      { PushConfig: { RolloutConfig: { ExponentialRolloutRate: { IncrementFactor: 1 } } } },
    ],
  ])('are not created with an invalid %s', async (field, body) => {
    const api = await startApi();
    const answer = await send(api, 'POST', '/ota-task-configurations', body);
    expect(answer).toMatchObject({ status: 400, name: 'ValidationException' });
    expect(answer.body.message).toContain(`'${field}'`);
  });

  test('that do not exist are refused by UpdateOtaTask only when the settings say so', async () => {
    const api = await startApi({ settings: { configurations: { kind: 'listed', ids: ['one'] } } });
    const wanted = { TaskConfigurationId: 'two' };
    expect(await send(api, 'PUT', '/ota-tasks/a1', wanted)).toMatchObject({ status: 204 });
    api.configure({ refuseUnknownConfigurations: true });
    expect(await send(api, 'PUT', '/ota-tasks/a2', wanted)).toMatchObject({
      status: 404,
      body: { ResourceId: 'two', ResourceType: 'OtaTaskConfiguration' },
    });
    expect(await send(api, 'PUT', '/ota-tasks/a2', { TaskConfigurationId: 'one' })).toMatchObject({
      status: 204,
    });
    expect(await send(api, 'PUT', '/ota-tasks/a2', { Description: 'x' })).toMatchObject({ status: 204 });
  });

  test('can be denied, by operation', async () => {
    const api = await startApi({ settings: { deniedOperations: ['GetOtaTaskConfiguration'] } });
    expect(await send(api, 'GET', '/ota-task-configurations/one')).toMatchObject({
      status: 403,
      name: 'AccessDeniedException',
    });
    expect(await send(api, 'GET', '/ota-task-configurations')).toMatchObject({ status: 200 });
  });
});

describe('devices', () => {
  const failed = async (api: SimulatedApi, id: string): Promise<number> => {
    const { body } = await send(api, 'GET', `/ota-tasks/${id}`);
    return (body.TaskProcessingDetails as { NumberOfFailedThings: number }).NumberOfFailedThings;
  };

  test('fail in the share that the settings say, after the time that they say, until another configuration is set', async () => {
    let now = 1_700_000_000_000;
    const failures = [{ configuration: 'bad', share: 0.06, afterSeconds: 30 }];
    const api = await startApi({
      settings: { devices: { perTask: 10_000, failures } },
      now: () => now,
    });
    await send(api, 'PUT', '/ota-tasks/a1', { TaskConfigurationId: 'bad' });
    now += 29_000;
    expect(await failed(api, 'a1')).toBe(0);
    now += 1_000;
    const share = (await failed(api, 'a1')) / 10_000;
    expect(share).toBeGreaterThan(0.05);
    expect(share).toBeLessThan(0.07);
    await send(api, 'PUT', '/ota-tasks/a1', { TaskConfigurationId: 'bad', Description: 'again' });
    expect(await failed(api, 'a1')).toBe(share * 10_000);
    await send(api, 'PUT', '/ota-tasks/a1', { TaskConfigurationId: 'good' });
    expect(await failed(api, 'a1')).toBe(0);
  });

  test('are as many as the settings say at any time, whether counted or listed', async () => {
    let now = 0;
    const failures = [{ configuration: 'bad', share: 0.5, afterSeconds: 15 }];
    const api = await startApi({
      settings: { devices: { perTask: 20, takeSeconds: 10, failures } },
      now: () => now,
    });
    await fc.assert(
      fc.asyncProperty(fc.nat(20_000), fc.constantFrom('bad', 'good'), async (later, TaskConfigurationId) => {
        const id = `a${now}`;
        await send(api, 'PUT', `/ota-tasks/${id}`, { TaskConfigurationId });
        now += later;
        const { body } = await send(api, 'GET', `/ota-tasks/${id}`);
        const details = body.TaskProcessingDetails as Readonly<Record<string, number>>;
        expect(Object.values(details).reduce((sum, count) => sum + count)).toBe(20);
        const listed = await send(api, 'GET', `/ota-tasks/${id}/devices`);
        const states = (listed.body.ExecutionSummaries as { TaskExecutionSummary: { Status: string } }[]).map(
          ({ TaskExecutionSummary }) => TaskExecutionSummary.Status,
        );
        expect(states.filter((state) => state === 'FAILED')).toHaveLength(details.NumberOfFailedThings ?? -1);
        expect(states.filter((state) => state === 'QUEUED')).toHaveLength(details.numberOfQueuedThings ?? -1);
      }),
      { numRuns: 50 },
    );
  });

  test('of a task that does not exist are not listed', async () => {
    const api = await startApi({ settings: { tasks: { kind: 'listed', identifiers: [] } } });
    expect(await send(api, 'GET', '/ota-tasks/a1/devices')).toMatchObject({ status: 404 });
  });
});

test('tasks whose Identifier begins so are completed or cancelled', async () => {
  const api = await startApi();
  expect(api.task('completed1')).toMatchObject({ Status: 'COMPLETED' });
  expect(api.task('canceled1')).toMatchObject({ Status: 'CANCELED' });
});
