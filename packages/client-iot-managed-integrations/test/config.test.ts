import { once } from 'node:events';
import { ConfiguredRetryStrategy } from '@smithy/core/retry';
import { describe, expect, it, vi } from 'vitest';
import { GetOtaTaskCommand, IoTManagedIntegrationsClient, UpdateOtaTaskCommand } from '../src/index.ts';
import { ApiServer, json, rejection, withoutAwsSettings } from './support.ts';

withoutAwsSettings();

const command = () => new UpdateOtaTaskCommand({ Identifier: 't-1' });

describe('credentials', () => {
  it('that are missing end a call with CredentialsProviderError', async () => {
    await using api = await ApiServer.start();
    const client = new IoTManagedIntegrationsClient({ region: 'eu-west-1', endpoint: api.url });

    expect((await rejection(client.send(command()))).name).toBe('CredentialsProviderError');
    expect(api.received).toEqual([]);
  });

  it('are found in the environment', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDFROMENV');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    vi.stubEnv('AWS_SESSION_TOKEN', 'token');
    await using api = await ApiServer.start();
    const client = new IoTManagedIntegrationsClient({ region: 'eu-west-1', endpoint: api.url });

    await client.send(command());
    client.destroy();

    expect(api.only.headers.authorization).toContain('Credential=AKIDFROMENV/');
    expect(api.only.headers['x-amz-security-token']).toBe('token');
  });

  it('from a provider are requested once, not once per call', async () => {
    await using api = await ApiServer.start();
    const credentials = vi.fn(async () => ({ accessKeyId: 'AKIDPROVIDED', secretAccessKey: 'secret' }));
    const client = api.client({ credentials });

    for (let call = 0; call < 3; call++) await client.send(command());

    expect(credentials).toHaveBeenCalledOnce();
    expect(api.received.map(({ headers }) => headers.authorization)).toEqual(
      Array(3).fill(expect.stringContaining('Credential=AKIDPROVIDED/')),
    );
  });
});

describe('maxAttempts', () => {
  it('of 1 sends a failing call once', async () => {
    await using api = await ApiServer.start({ status: 503, body: '{}' });

    const error = await rejection(api.client({ maxAttempts: 1 }).send(command()));

    expect(error.$metadata).toMatchObject({ attempts: 1 });
    expect(api.received).toHaveLength(1);
  });

  it('is found in the environment', async () => {
    vi.stubEnv('AWS_MAX_ATTEMPTS', '1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKID');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    await using api = await ApiServer.start({ status: 503, body: '{}' });
    const client = new IoTManagedIntegrationsClient({ region: 'eu-west-1', endpoint: api.url });

    await rejection(client.send(command()));
    client.destroy();

    expect(api.only.headers['amz-sdk-request']).toBe('attempt=1; max=1');
  });

  it('is overridden by a retry strategy of the caller', async () => {
    await using api = await ApiServer.start({ status: 503, body: '{}' }, { status: 503, body: '{}' });
    const retryStrategy = new ConfiguredRetryStrategy(3, () => 0);

    const { $metadata } = await api.client({ retryStrategy }).send(command());

    expect($metadata.attempts).toBe(3);
  });
});

describe('the other settings', () => {
  it('put customUserAgent into the user agent', async () => {
    await using api = await ApiServer.start();

    await api.client({ customUserAgent: 'ota-updater/1.2.3' }).send(command());

    expect(api.only.headers['user-agent']).toMatch(/ ota-updater\/1\.2\.3/);
  });

  it('run the middleware of the caller', async () => {
    await using api = await ApiServer.start();
    const client = api.client();
    client.middlewareStack.add(
      (next) => (args) => {
        Object.assign((args.request as { headers: Record<string, string> }).headers, { 'x-mine': 'yes' });
        return next(args);
      },
      { step: 'build' },
    );

    await client.send(command());

    expect(api.only.headers['x-mine']).toBe('yes');
  });

  it('log calls without the values of tags', async () => {
    await using api = await ApiServer.start(json(200, { TaskId: 't-1', Tags: { team: 'hidden' } }));
    const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };

    await api.client({ logger }).send(new GetOtaTaskCommand({ Identifier: 't-1' }));

    expect(logger.info).toHaveBeenCalledWith(
      expect.objectContaining({
        clientName: 'IoTManagedIntegrationsClient',
        commandName: 'GetOtaTaskCommand',
        input: { Identifier: 't-1' },
        output: expect.objectContaining({ TaskId: 't-1' }),
      }),
    );
    expect(JSON.stringify(logger.info.mock.calls)).not.toContain('hidden');
  });

  it('have the request handler warn through the logger', async () => {
    await using api = await ApiServer.start('never');
    const warned = Promise.withResolvers<unknown>();
    const logger = { debug: vi.fn(), info: vi.fn(), warn: warned.resolve, error: vi.fn() };
    const controller = new AbortController();

    const client = api.client({ logger, requestHandler: { requestTimeout: 1 } });
    const outcome = rejection(client.send(command(), { abortSignal: controller.signal }));

    expect(await warned.promise).toContain('requestTimeout');
    controller.abort();
    await outcome;
  });

  it('make the request handler from options', async () => {
    await using api = await ApiServer.start('never');
    const requestHandler = { requestTimeout: 1, throwOnRequestTimeout: true };

    const error = await rejection(api.client({ requestHandler }).send(command()));

    expect(error.name).toBe('TimeoutError');
  });
});

describe('a client', () => {
  it('hands on the trace id that Lambda gives it', async () => {
    vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'worker');
    vi.stubEnv('_X_AMZN_TRACE_ID', 'Root=1-5759e988-bd862e3fe1be46a994272793');
    await using api = await ApiServer.start();

    await api.client().send(command());

    expect(api.only.headers['x-amzn-trace-id']).toBe('Root=1-5759e988-bd862e3fe1be46a994272793');
  });

  it('gives up a call in flight when its signal aborts', async () => {
    await using api = await ApiServer.start('never');
    const controller = new AbortController();
    const received = once(api.server, 'received');

    const outcome = rejection(api.client().send(command(), { abortSignal: controller.signal }));
    await received;
    controller.abort();

    expect((await outcome).name).toBe('AbortError');
  });

  it('closes its connections when it is destroyed', async () => {
    await using api = await ApiServer.start();
    const connection = once(api.server, 'connection');
    const client = api.client();
    await client.send(command());
    const [socket] = await connection;
    const closed = once(socket, 'close');

    client.destroy();

    await closed;
  });

  it('reuses one connection for calls in sequence', async () => {
    await using api = await ApiServer.start();
    const connected = vi.fn();
    api.server.on('connection', connected);
    const client = api.client();

    for (let call = 0; call < 3; call++) await client.send(command());

    expect(connected).toHaveBeenCalledOnce();
  });
});
