import { createHash } from 'node:crypto';
import { ConfiguredRetryStrategy } from '@smithy/core/retry';
import { describe, expect, it } from 'vitest';
import { GetOtaTaskCommand, ListOtaTasksCommand, UpdateOtaTaskCommand } from '../src/index.ts';
import {
  ApiServer,
  CREDENTIALS,
  expectedAuthorization,
  json,
  rejection,
  withoutAwsSettings,
} from './support.ts';

withoutAwsSettings();

const UGLY = `a/b c+d%é*'()!~_-.`;
const UGLY_ENCODED = 'a%2Fb%20c%2Bd%25%C3%A9%2A%27%28%29%21~_-.';

describe('UpdateOtaTask', () => {
  it('puts the fields that are set as JSON to the path of the task', async () => {
    await using api = await ApiServer.start();

    await api
      .client()
      .send(new UpdateOtaTaskCommand({ Identifier: 't-1', Description: 'é', TaskConfigurationId: 'c-1' }));

    expect(api.only).toMatchObject({ method: 'PUT', url: '/ota-tasks/t-1' });
    expect(JSON.parse(api.only.body)).toEqual({ Description: 'é', TaskConfigurationId: 'c-1' });
  });

  it.each([
    ['neither field', {}, '{}'],
    ['undefined fields', { Description: undefined, TaskConfigurationId: undefined }, '{}'],
    ['an empty description', { Description: '' }, '{"Description":""}'],
    ['a key that the API does not have', { Description: 'd', Status: 'CANCELED' }, '{"Description":"d"}'],
  ])('sends, given %s, the body that AWS sends', async (_, fields, body) => {
    await using api = await ApiServer.start();

    await api.client().send(new UpdateOtaTaskCommand({ Identifier: 't-1', ...fields }));

    expect(api.only.body).toBe(body);
    expect(api.only.headers['content-type']).toBe('application/json');
    expect(api.only.headers['content-length']).toBe(String(Buffer.byteLength(body)));
  });

  it('encodes the identifier as one path segment', async () => {
    await using api = await ApiServer.start();

    await api.client().send(new UpdateOtaTaskCommand({ Identifier: UGLY }));

    expect(api.only.url).toBe(`/ota-tasks/${UGLY_ENCODED}`);
  });

  it('sends an empty identifier as it is', async () => {
    await using api = await ApiServer.start();

    await api.client().send(new UpdateOtaTaskCommand({ Identifier: '' }));

    expect(api.only).toMatchObject({ method: 'PUT', url: '/ota-tasks/' });
  });

  it('rejects an undefined identifier without sending a request', async () => {
    await using api = await ApiServer.start();

    const error = await rejection(api.client().send(new UpdateOtaTaskCommand({ Identifier: undefined })));

    expect(error.message).toBe('No value provided for input HTTP label: Identifier.');
    expect(api.received).toEqual([]);
  });

  it('answers 204 with metadata and nothing else', async () => {
    await using api = await ApiServer.start({ status: 204, headers: { 'x-amzn-requestid': 'r-1' } });

    const output = await api.client().send(new UpdateOtaTaskCommand({ Identifier: 't-1' }));

    expect(output.$metadata).toMatchObject({ httpStatusCode: 204, requestId: 'r-1', attempts: 1 });
    expect(Object.keys(output)).toEqual(['$metadata']);
  });
});

describe('headers', () => {
  it('carry everything that AWS sends, and nothing more', async () => {
    await using api = await ApiServer.start();

    await api.client().send(new UpdateOtaTaskCommand({ Identifier: 't-1', Description: 'd' }));

    expect(api.only.rawHeaderNames.map((name) => name.toLowerCase()).sort()).toEqual([
      'amz-sdk-invocation-id',
      'amz-sdk-request',
      'authorization',
      'connection',
      'content-length',
      'content-type',
      'host',
      'user-agent',
      'x-amz-content-sha256',
      'x-amz-date',
      'x-amz-user-agent',
    ]);
    expect(api.only.headers).toMatchObject({
      'amz-sdk-request': 'attempt=1; max=1',
      'amz-sdk-invocation-id': expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      host: new URL(api.url).host,
      'user-agent': expect.stringMatching(/^aws-sdk-js\/\S+ .*api\/iot-managed-integrations#\S+/),
      'x-amz-user-agent': expect.stringMatching(/^aws-sdk-js\//),
      'x-amz-date': expect.stringMatching(/^\d{8}T\d{6}Z$/),
      'x-amz-content-sha256': createHash('sha256').update('{"Description":"d"}').digest('hex'),
    });
  });

  it('have one invocation id for all attempts of a call, and another for the next call', async () => {
    await using api = await ApiServer.start({ status: 500, body: '{}' });
    const client = api.client({ maxAttempts: 2, retryStrategy: new ConfiguredRetryStrategy(2, () => 0) });

    await client.send(new UpdateOtaTaskCommand({ Identifier: 't-1' }));
    await client.send(new UpdateOtaTaskCommand({ Identifier: 't-1' }));

    const ids = api.received.map(({ headers }) => headers['amz-sdk-invocation-id']);
    expect(ids).toEqual([ids[0], ids[0], expect.not.stringMatching(String(ids[0]))]);
    expect(api.received.map(({ headers }) => headers['amz-sdk-request'])).toEqual([
      'attempt=1; max=2',
      'attempt=2; max=2',
      'attempt=1; max=2',
    ]);
  });
});

describe('signatures', () => {
  it('cover the headers that AWS signs', async () => {
    await using api = await ApiServer.start();

    await api.client().send(new UpdateOtaTaskCommand({ Identifier: 't-1' }));

    expect(/SignedHeaders=([^,]+)/.exec(String(api.only.headers.authorization))?.[1]?.split(';')).toEqual([
      'amz-sdk-invocation-id',
      'amz-sdk-request',
      'content-length',
      'content-type',
      'host',
      'x-amz-content-sha256',
      'x-amz-date',
      'x-amz-user-agent',
    ]);
  });

  it.each([
    ['a PUT', new UpdateOtaTaskCommand({ Identifier: 't-1', Description: 'é' })],
    ['an identifier that needs encoding', new UpdateOtaTaskCommand({ Identifier: UGLY })],
    ['a GET', new GetOtaTaskCommand({ Identifier: 't-1' })],
  ])('are as specified, for %s', async (_, command) => {
    await using api = await ApiServer.start({ status: 200, body: '{}' });

    await api.client().send(command);

    expect(api.only.headers.authorization).toBe(expectedAuthorization(api.only, 'eu-west-1'));
  });

  it('are as specified, with a query', async () => {
    await using api = await ApiServer.start(json(200, {}));

    await api.client().send(new ListOtaTasksCommand({ MaxResults: 5, NextToken: 'a/b=+ &' }));

    expect(api.only.headers.authorization).toBe(expectedAuthorization(api.only, 'eu-west-1'));
  });

  it('name the service and the region of the client', async () => {
    await using api = await ApiServer.start();

    await api.client({ region: 'ca-central-1' }).send(new UpdateOtaTaskCommand({ Identifier: 't-1' }));

    expect(api.only.headers.authorization).toContain('/ca-central-1/iotmanagedintegrations/aws4_request,');
  });

  it('cover the session token when there is one', async () => {
    await using api = await ApiServer.start();
    const credentials = { ...CREDENTIALS, sessionToken: 'session/token==' };

    await api.client({ credentials }).send(new UpdateOtaTaskCommand({ Identifier: 't-1' }));

    expect(api.only.headers['x-amz-security-token']).toBe('session/token==');
    expect(api.only.headers.authorization).toMatch(/SignedHeaders=[^,]*x-amz-security-token/);
    expect(api.only.headers.authorization).toBe(expectedAuthorization(api.only, 'eu-west-1'));
  });
});
