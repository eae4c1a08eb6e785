import { describe, expect, it } from 'vitest';
import {
  ConflictException,
  CreateOtaTaskConfigurationCommand,
  GetOtaTaskConfigurationCommand,
  ListOtaTaskConfigurationsCommand,
  ListOtaTaskExecutionsCommand,
  type PushConfig,
  paginateListOtaTaskConfigurations,
  paginateListOtaTaskExecutions,
} from '../src/index.ts';
import { ApiServer, expectedAuthorization, json, rejection, withoutAwsSettings } from './support.ts';

withoutAwsSettings();

const PUSH = {
  AbortConfig: {
    AbortConfigCriteriaList: [
      { Action: 'CANCEL', FailureType: 'FAILED', MinNumberOfExecutedThings: 10, ThresholdPercentage: 12.5 },
    ],
  },
  RolloutConfig: {
    ExponentialRolloutRate: {
      BaseRatePerMinute: 5,
      IncrementFactor: 1.5,
      RateIncreaseCriteria: { numberOfNotifiedThings: 50, numberOfSucceededThings: 40 },
    },
    MaximumPerMinute: 1000,
  },
  TimeoutConfig: { InProgressTimeoutInMinutes: 10_080 },
} satisfies PushConfig;

/** The path, and what the query says. */
const asked = (url: string) => {
  const { pathname, searchParams } = new URL(url, 'http://host');
  return [pathname, Object.fromEntries(searchParams)];
};

describe('CreateOtaTaskConfiguration', () => {
  it('posts every field, and drops those it does not know', async () => {
    await using api = await ApiServer.start(json(201, { TaskConfigurationId: 'c1' }));
    const input = { Name: 'Slow 2', Description: 'Night', PushConfig: PUSH, ClientToken: 'once' };

    const output = await api
      .client()
      .send(new CreateOtaTaskConfigurationCommand({ ...input, Unheard: 1 } as typeof input));

    expect(api.only).toMatchObject({ method: 'POST', url: '/ota-task-configurations' });
    expect(JSON.parse(api.only.body)).toEqual(input);
    expect(output).toMatchObject({ TaskConfigurationId: 'c1', $metadata: { httpStatusCode: 201 } });
    expect(api.only.headers.authorization).toBe(expectedAuthorization(api.only, 'eu-west-1'));
  });

  it('sends a token of its own for each call that has none, and the same for all attempts', async () => {
    const failed = { status: 500, body: '{}' };
    await using api = await ApiServer.start(failed, json(201, {}), json(201, {}));
    const client = api.client({ maxAttempts: 2 });

    await client.send(new CreateOtaTaskConfigurationCommand({ Name: 'a' }));
    await client.send(new CreateOtaTaskConfigurationCommand({ Name: 'a' }));

    const tokens = api.received.map(({ body }) => (JSON.parse(body) as { ClientToken: string }).ClientToken);
    expect(tokens[0]).toMatch(/^[A-Za-z0-9=_-]{1,64}$/);
    expect(tokens).toEqual([tokens[0], tokens[0], expect.not.stringMatching(String(tokens[0]))]);
  });

  it('rejects with a ConflictException', async () => {
    await using api = await ApiServer.start(
      json(409, { Message: 'other values', code: 'ConflictException' }),
    );

    const error = await rejection(api.client().send(new CreateOtaTaskConfigurationCommand({})));

    expect(error).toBeInstanceOf(ConflictException);
    expect(error.message).toBe('other values');
  });

  it('keeps the name out of the log of the SDK', async () => {
    await using api = await ApiServer.start(json(201, {}));
    const lines: string[] = [];
    const note = (...content: unknown[]): void => void lines.push(JSON.stringify(content));
    const logger = { debug: note, info: note, warn: note, error: note, trace: note };

    await api.client({ logger }).send(new CreateOtaTaskConfigurationCommand({ Name: 'Secret fleet' }));

    expect(lines.join()).toContain('CreateOtaTaskConfiguration');
    expect(lines.join()).not.toContain('Secret fleet');
  });
});

describe('GetOtaTaskConfiguration', () => {
  it('gets the path of the configuration, and reads every field', async () => {
    const answer = { TaskConfigurationId: 'c1', Name: 'Slow', Description: 'Night', PushConfig: PUSH };
    await using api = await ApiServer.start(json(200, { ...answer, CreatedAt: 1_700_000_000.5, Unheard: 1 }));

    const { $metadata, ...configuration } = await api
      .client()
      .send(new GetOtaTaskConfigurationCommand({ Identifier: 'a/b' }));

    expect(api.only).toMatchObject({ method: 'GET', url: '/ota-task-configurations/a%2Fb', body: '' });
    expect(configuration).toEqual({ ...answer, CreatedAt: new Date('2023-11-14T22:13:20.500Z') });
  });

  it('leaves fields that are absent or null undefined', async () => {
    const sparse = { TaskConfigurationId: 'c1', Name: null, PushConfig: { RolloutConfig: null } };
    await using api = await ApiServer.start(json(200, sparse));

    const { $metadata, ...configuration } = await api
      .client()
      .send(new GetOtaTaskConfigurationCommand({ Identifier: 'c1' }));

    expect(configuration).toEqual({ TaskConfigurationId: 'c1', PushConfig: {} });
  });
});

describe('ListOtaTaskConfigurations', () => {
  it('gets a page', async () => {
    const item = { TaskConfigurationId: 'c1', Name: 'Slow', CreatedAt: 1_700_000_000 };
    await using api = await ApiServer.start(json(200, { Items: [item], NextToken: 'n' }));

    const page = await api
      .client()
      .send(new ListOtaTaskConfigurationsCommand({ MaxResults: 1, NextToken: 'a=b' }));

    expect(asked(api.only.url)).toEqual(['/ota-task-configurations', { MaxResults: '1', NextToken: 'a=b' }]);
    expect(page).toMatchObject({
      Items: [{ ...item, CreatedAt: new Date('2023-11-14T22:13:20.000Z') }],
      NextToken: 'n',
    });
  });

  it('is followed to the last page', async () => {
    await using api = await ApiServer.start(
      json(200, { Items: [{ TaskConfigurationId: 'c1' }], NextToken: 'p2' }),
      json(200, { Items: [{ TaskConfigurationId: 'c2' }] }),
    );

    const ids: unknown[] = [];
    for await (const page of paginateListOtaTaskConfigurations({ client: api.client(), pageSize: 1 }, {}))
      ids.push(...(page.Items ?? []).map(({ TaskConfigurationId }) => TaskConfigurationId));

    expect(ids).toEqual(['c1', 'c2']);
    expect(api.received.map(({ url }) => asked(url)[1])).toEqual([
      { MaxResults: '1' },
      { MaxResults: '1', NextToken: 'p2' },
    ]);
  });
});

describe('ListOtaTaskExecutions', () => {
  const summary = { ExecutionNumber: 2, RetryAttempt: 1, Status: 'TIMED_OUT' };
  const times = { QueuedAt: 1_700_000_000, StartedAt: 1_700_000_001, LastUpdatedAt: 1_700_000_002.25 };

  it('gets a page of the devices of a task', async () => {
    await using api = await ApiServer.start(
      json(200, {
        ExecutionSummaries: [{ ManagedThingId: 'm:1', TaskExecutionSummary: { ...summary, ...times } }],
      }),
    );

    const { ExecutionSummaries, NextToken } = await api
      .client()
      .send(new ListOtaTaskExecutionsCommand({ Identifier: 'a/b', MaxResults: 1000, NextToken: 'x/y' }));

    expect(asked(api.only.url)).toEqual([
      '/ota-tasks/a%2Fb/devices',
      { MaxResults: '1000', NextToken: 'x/y' },
    ]);
    expect(NextToken).toBeUndefined();
    expect(ExecutionSummaries).toEqual([
      {
        ManagedThingId: 'm:1',
        TaskExecutionSummary: {
          ...summary,
          QueuedAt: new Date('2023-11-14T22:13:20.000Z'),
          StartedAt: new Date('2023-11-14T22:13:21.000Z'),
          LastUpdatedAt: new Date('2023-11-14T22:13:22.250Z'),
        },
      },
    ]);
  });

  it('is followed to the last page', async () => {
    await using api = await ApiServer.start(
      json(200, { ExecutionSummaries: [{ ManagedThingId: 'm1' }], NextToken: 'p2' }),
      json(200, { ExecutionSummaries: [{ ManagedThingId: 'm2' }] }),
    );

    const things: unknown[] = [];
    const pages = paginateListOtaTaskExecutions({ client: api.client() }, { Identifier: 't1' });
    for await (const { ExecutionSummaries = [] } of pages)
      things.push(...ExecutionSummaries.map(({ ManagedThingId }) => ManagedThingId));

    expect(things).toEqual(['m1', 'm2']);
    expect(api.received.map(({ url }) => url)).toEqual([
      '/ota-tasks/t1/devices',
      '/ota-tasks/t1/devices?NextToken=p2',
    ]);
  });
});
