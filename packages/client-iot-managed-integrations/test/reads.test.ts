import { describe, expect, it } from 'vitest';
import { GetOtaTaskCommand, ListOtaTasksCommand, paginateListOtaTasks } from '../src/index.ts';
import { ApiServer, json, withoutAwsSettings } from './support.ts';

withoutAwsSettings();

const SUMMARY = {
  TaskId: 't-1',
  TaskArn: 'arn:aws:iotmanagedintegrations:eu-west-1:1:ota-task/t-1',
  TaskConfigurationId: 'c-1',
  Status: 'SCHEDULED',
};
const TASK = {
  ...SUMMARY,
  Description: 'Nightly',
  S3Url: 's3://bucket/key',
  Protocol: 'HTTP',
  OtaType: 'ONE_TIME',
  OtaTargetQueryString: 'q',
  OtaMechanism: 'PUSH',
  Target: ['thing-1', 'thing-2'],
  TaskProcessingDetails: {
    NumberOfCanceledThings: 1,
    NumberOfFailedThings: 2,
    NumberOfInProgressThings: 3,
    numberOfQueuedThings: 4,
    numberOfRejectedThings: 5,
    numberOfRemovedThings: 6,
    numberOfSucceededThings: 7,
    numberOfTimedOutThings: 8,
    processingTargets: ['thing-1'],
  },
  OtaSchedulingConfig: {
    StartTime: '2026-11-23T00:00',
    EndTime: '2026-11-24T00:00',
    EndBehavior: 'CANCEL',
    MaintenanceWindows: [{ DurationInMinutes: 60, StartTime: 'cron(0 0 * * ? *)' }],
  },
  OtaTaskExecutionRetryConfig: { RetryConfigCriteria: [{ FailureType: 'ALL', MinNumberOfRetries: 3 }] },
  Tags: { team: 'ota' },
};

describe('GetOtaTask', () => {
  it('gets the path of the task without a body', async () => {
    await using api = await ApiServer.start(json(200, {}));

    await api.client().send(new GetOtaTaskCommand({ Identifier: 'a/b' }));

    expect(api.only).toMatchObject({ method: 'GET', url: '/ota-tasks/a%2Fb', body: '' });
    expect(api.only.headers['content-type']).toBeUndefined();
  });

  it('reads every field, and drops those it does not know', async () => {
    const times = { CreatedAt: 1_700_000_000, LastUpdatedAt: 1_700_000_001 };
    await using api = await ApiServer.start(json(200, { ...TASK, ...times, Unheard: 1 }));

    const { $metadata, ...task } = await api.client().send(new GetOtaTaskCommand({ Identifier: 't-1' }));

    expect(task).toEqual({
      ...TASK,
      CreatedAt: new Date('2023-11-14T22:13:20.000Z'),
      LastUpdatedAt: new Date('2023-11-14T22:13:21.000Z'),
    });
    expect($metadata.httpStatusCode).toBe(200);
  });

  it.each([
    ['whole seconds', '1700000000', '2023-11-14T22:13:20.000Z'],
    ['milliseconds', '1700000000.123', '2023-11-14T22:13:20.123Z'],
    ['exponents', '1.700000000123E9', '2023-11-14T22:13:20.123Z'],
    ['finer than milliseconds', '1700000000.123499', '2023-11-14T22:13:20.123Z'],
  ])('reads timestamps in %s', async (_, wire, iso) => {
    await using api = await ApiServer.start({ status: 200, body: `{"CreatedAt":${wire}}` });

    const { CreatedAt } = await api.client().send(new GetOtaTaskCommand({ Identifier: 't-1' }));

    expect(CreatedAt).toEqual(new Date(iso));
  });

  it('leaves fields that are absent or null undefined', async () => {
    await using api = await ApiServer.start(json(200, { TaskId: 't-1', Description: null }));

    const { $metadata, ...task } = await api.client().send(new GetOtaTaskCommand({ Identifier: 't-1' }));

    expect(task).toEqual({ TaskId: 't-1' });
  });
});

describe('ListOtaTasks', () => {
  it.each([
    ['nothing', {}, '/ota-tasks'],
    ['a page size', { MaxResults: 1000 }, '/ota-tasks?MaxResults=1000'],
    ['a token', { NextToken: 'a/b=+ &' }, '/ota-tasks?NextToken=a%2Fb%3D%2B%20%26'],
    ['both', { MaxResults: 1, NextToken: 't' }, '/ota-tasks?MaxResults=1&NextToken=t'],
  ])('gets, given %s, the URL with that in the query', async (_, input, url) => {
    await using api = await ApiServer.start(json(200, {}));

    await api.client().send(new ListOtaTasksCommand(input));

    const [path, query = ''] = api.only.url.split('?');
    expect(api.only).toMatchObject({ method: 'GET', body: '' });
    expect([path, ...query.split('&').filter(Boolean).sort()].join('&').replace('&', '?')).toBe(url);
  });

  it('reads the tasks of a page', async () => {
    const times = { CreatedAt: 1_700_000_000.5, LastUpdatedAt: 1_700_000_001 };
    await using api = await ApiServer.start(json(200, { Tasks: [{ ...SUMMARY, ...times }], NextToken: 'n' }));

    const { Tasks, NextToken } = await api.client().send(new ListOtaTasksCommand({}));

    expect(NextToken).toBe('n');
    expect(Tasks).toEqual([
      {
        ...SUMMARY,
        CreatedAt: new Date('2023-11-14T22:13:20.500Z'),
        LastUpdatedAt: new Date('2023-11-14T22:13:21.000Z'),
      },
    ]);
  });
});

describe('paginateListOtaTasks', () => {
  it('follows the tokens to the last page', async () => {
    await using api = await ApiServer.start(
      json(200, { Tasks: [{ TaskId: 't-1' }], NextToken: 'p/2' }),
      json(200, { Tasks: [], NextToken: 'p/3' }),
      json(200, { Tasks: [{ TaskId: 't-2' }] }),
    );

    const ids: unknown[] = [];
    for await (const page of paginateListOtaTasks({ client: api.client(), pageSize: 2 }, {})) {
      ids.push(...(page.Tasks ?? []).map(({ TaskId }) => TaskId));
    }

    expect(ids).toEqual(['t-1', 't-2']);
    const queries = api.received.map(({ url }) =>
      Object.fromEntries(new URL(url, 'http://host').searchParams),
    );
    expect(queries).toEqual([
      { MaxResults: '2' },
      { MaxResults: '2', NextToken: 'p/2' },
      { MaxResults: '2', NextToken: 'p/3' },
    ]);
  });

  it('starts where it is told to', async () => {
    await using api = await ApiServer.start(json(200, {}));

    for await (const _ of paginateListOtaTasks({ client: api.client(), startingToken: 'p2' }, {}));

    expect(api.only.url).toBe('/ota-tasks?NextToken=p2');
  });

  it('rejects with the error of a page', async () => {
    await using api = await ApiServer.start(json(429, { code: 'ThrottlingException' }));

    const first = paginateListOtaTasks({ client: api.client() }, {}).next();

    await expect(first).rejects.toMatchObject({ name: 'ThrottlingException' });
  });
});
