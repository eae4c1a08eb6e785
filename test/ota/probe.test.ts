/** What `check` asks of the API and of Redis. */
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createApiProbe } from '../../src/ota/probe.ts';
import { askRedis } from '../../src/ota/redis-probe.ts';
import { startSimulatedApi } from '../../src/sandbox/simulated-api/index.ts';
import { redisInstalled, startRedis } from '../../testing/redis/server.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };

function probe(endpoint?: string) {
  const api = createApiProbe({
    callTimeoutMs: 20_000,
    maxSockets: 1,
    client: { region: 'eu-west-1', credentials, ...(endpoint !== undefined && { endpoint }) },
  });
  onTestFinished(() => api.destroy());
  return api;
}

describe('the endpoint', () => {
  // Source: the SDK's partitions.
  test.each([
    ['eu-west-1', 'api.iotmanagedintegrations.eu-west-1.api.aws'],
    ['us-gov-west-1', 'api.iotmanagedintegrations.us-gov-west-1.api.aws'],
    ['cn-north-1', 'api.iotmanagedintegrations.cn-north-1.api.amazonwebservices.com.cn'],
    ['eusc-de-east-1', 'api.iotmanagedintegrations.eusc-de-east-1.api.amazonwebservices.eu'],
    ['us-iso-east-1', 'api.iotmanagedintegrations.us-iso-east-1.api.aws.ic.gov'],
  ])('of %s has the suffix of its partition', async (region, host) => {
    expect(await probe().endpoint(region)).toEqual({ url: `https://${host}`, custom: false, fips: false });
  });

  test.each<[string, Record<string, string>, string, boolean]>([
    [
      'region and FIPS',
      { AWS_USE_FIPS_ENDPOINT: 'true' },
      'https://api.iotmanagedintegrations-fips.eu-west-1.api.aws',
      false,
    ],
    ['its variable', { AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS: 'http://a:1' }, 'http://a:1', true],
    ['the variable of all services', { AWS_ENDPOINT_URL: 'http://b:2' }, 'http://b:2', true],
    [
      'its variable before that of all services',
      { AWS_ENDPOINT_URL: 'http://b:2', AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS: 'http://a:1' },
      'http://a:1',
      true,
    ],
    [
      'the region when variables are to be ignored',
      { AWS_ENDPOINT_URL: 'http://b:2', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' },
      'https://api.iotmanagedintegrations.eu-west-1.api.aws',
      false,
    ],
  ])('is chosen by %s', async (_, env, url, custom) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    expect(await probe().endpoint('eu-west-1')).toMatchObject({ url, custom });
  });
});

describe('the read', () => {
  test('is one GetOtaTask, which tells who may read from who may not, and changes nothing', async () => {
    const api = await startSimulatedApi({ host: '127.0.0.1', port: 0, settings: {}, token: 't' });
    onTestFinished(() => api.close());
    const { read } = probe(api.url);
    api.configure({ tasks: { kind: 'all', exceptPrefix: 'otaUpdater' } });
    expect(await read()).toBeUndefined();
    api.configure({ denied: 'all' });
    expect(await read()).toMatchObject({ kind: 'denied', name: 'AccessDeniedException' });
    api.configure({ denied: 'none', expiredCredentials: true });
    expect(await read()).toMatchObject({ kind: 'misconfigured', name: 'ExpiredTokenException' });
    expect(api.stats()).toMatchObject({ calls: 0 });
  });

  test.each([
    [200, 'text/html', 'HTTP 200, text/html'],
    [403, 'text/html', 'HTTP 403, text/html'],
    [502, 'text/html', 'HTTP 502, text/html'],
    [200, 'application/json', 'it answered with success, but without a task'],
  ])('tells what is not the API: status %i, %s', async (status, type, message) => {
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(status, { 'content-type': type }).end(type === 'text/html' ? '<html>' : '{}');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    onTestFinished(() => void server.close());
    const failure = await probe(`http://127.0.0.1:${(server.address() as AddressInfo).port}`).read();
    expect(failure).toMatchObject({
      kind: status === 502 ? 'retryable' : 'unidentified',
      name: 'ForeignAnswer',
      message,
    });
  });

  test('tells that nobody listens', async () => {
    expect(await probe('http://127.0.0.1:1').read()).toMatchObject({ kind: 'unreachable' });
  });
});

describe.runIf(redisInstalled())('Redis', () => {
  test('tells its time', async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.kill());
    const { at, replica } = await askRedis(redis.url);
    expect(Math.abs(at - Date.now())).toBeLessThan(60_000);
    expect(replica).toBe(false);
  });

  test('on a dead port, or something else there, is an error', async () => {
    await expect(askRedis('redis://127.0.0.1:1')).rejects.toThrow('ECONNREFUSED');
    const server = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    onTestFinished(() => void server.close());
    await expect(askRedis(`redis://127.0.0.1:${(server.address() as AddressInfo).port}`)).rejects.toThrow(
      /^the server closes the connection, and may not be Redis$/,
    );
  });
});
