/** Requests to AWS through the proxy that the environment names. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createSqsClient } from '../../src/queue/client.ts';
import { Queue } from '../../src/queue/queue.ts';
import { type ForwardProxy, startForwardProxy } from '../../testing/faults/forward-proxy.ts';
import { startSts } from '../../testing/faults/sts.ts';
import { runCommand, spawnWorker } from '../../testing/processes/process.ts';
import { credentials, REGION, setStage } from '../../testing/stages/stage.ts';

let proxy: ForwardProxy;
beforeEach(async () => {
  proxy = await startForwardProxy();
  onTestFinished(() => proxy.close());
});

/** A URL on this machine, by a name that only the proxy knows. */
const behind = (name: string, url: string): string => url.replace('127.0.0.1', `${name}.test`);

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'ota-proxy-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

describe('over http', () => {
  test('a worker reaches SQS, the API and STS, and enqueue SQS; the log names the proxy, not its password', async () => {
    const stage = await setStage();
    onTestFinished(() => stage.strike());
    const sts = await startSts('grant');
    onTestFinished(() => sts.close());
    const tokenFile = join(folder(), 'token');
    writeFileSync(tokenFile, 'a web identity token');
    const irsa = sts.env(tokenFile);
    const env: Record<string, string> = {
      ...Object.fromEntries(
        Object.entries(stage.environment({ ...irsa, HTTP_PORT: 'off' })).map(([name, value]) => [
          name,
          /_URL(_SQS)?$/.test(name) ? behind('sqs', value) : value,
        ]),
      ),
      AWS_ENDPOINT_URL_STS: behind('sts', irsa.AWS_ENDPOINT_URL_STS ?? ''),
      AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS: behind('api', stage.api.url),
      HTTP_PROXY: proxy.url,
    };
    const worker = spawnWorker(env);
    const enqueued = await runCommand(['enqueue', '-', '--format', 'csv'], {
      env,
      stdin: 'Identifier,Description\nt1,new\n',
    });
    expect(enqueued).toMatchObject({ code: 0, stderr: '' });
    await stage.api.waitFor(() => stage.api.stats().applied === 1);
    const line = await worker.waitForEvent('proxy.used');
    expect(line).toMatchObject({ httpProxy: proxy.url.replace(`${proxy.secret}@`, '') });
    expect(line).toMatchObject({ noProxy: expect.stringContaining('169.254.169.254') });
    const hosts = new Set(proxy.requests.map((request) => /\/\/(\w+)\.test/.exec(request)?.[1]));
    expect(hosts).toEqual(new Set(['sqs', 'api', 'sts']));
    worker.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect(worker.raw().stdout + worker.raw().stderr).not.toContain('hunter2');
  });

  test('what NO_PROXY names, and this machine, is asked directly', async () => {
    const stage = await setStage();
    onTestFinished(() => stage.strike());
    const ask = async (queueUrl: string, env: Record<string, string>) => {
      const client = createSqsClient(1, { region: REGION, credentials }, { HTTP_PROXY: proxy.url, ...env });
      onTestFinished(() => client.destroy());
      return await new Queue(client, queueUrl).attributes();
    };
    await ask(stage.source.url, {});
    expect(proxy.requests).toEqual([]);
    const hidden = behind('sqs', stage.source.url);
    // Nobody knows the name without the proxy.
    await expect(ask(hidden, { NO_PROXY: 'other, .test' })).rejects.toThrow(/sqs\.test/);
    expect(proxy.requests).toEqual([]);
    await ask(hidden, {});
    expect(proxy.requests).toEqual([expect.stringMatching(/^POST http:\/\/sqs\.test:/)]);
  });
});

describe('over https', () => {
  test('requests pass through a tunnel, encrypted to the end', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const client = createSqsClient(1, { region: REGION, credentials }, { https_proxy: proxy.url });
    onTestFinished(() => client.destroy());
    const asked = new Queue(client, `https://sqs.test:${port}/0/q`).attributes();
    const [socket] = await once(server, 'connection');
    const [hello] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    await expect(asked).rejects.toThrow();
    expect(proxy.requests).toEqual([`CONNECT sqs.test:${port}`]);
    // A handshake of TLS, for the name at the end of the tunnel.
    expect([...hello.subarray(0, 2)]).toEqual([22, 3]);
    expect(hello.includes('sqs.test')).toBe(true);
  });

  test('a sign-in session asks for its role through the proxy, and check names the proxy', async () => {
    const home = folder();
    mkdirSync(join(home, '.aws/sso/cache'), { recursive: true });
    const startUrl = 'https://company.awsapps.com/start';
    const profile = `[default]\nregion=${REGION}\nsso_start_url=${startUrl}\nsso_region=${REGION}\nsso_account_id=1\nsso_role_name=r\n`;
    writeFileSync(join(home, '.aws/config'), profile);
    const session = createHash('sha1').update(startUrl).digest('hex');
    const token = { accessToken: 't', expiresAt: new Date(Date.now() + 3_600_000).toISOString() };
    writeFileSync(join(home, '.aws/sso/cache', `${session}.json`), JSON.stringify(token));
    const { code, stdout } = await runCommand(['check'], {
      env: {
        HOME: home,
        HTTPS_PROXY: proxy.url.replace('http://', ''),
        QUEUE_URL: `https://sqs.${REGION}.amazonaws.com/1/updates`,
        DEAD_LETTER_QUEUE_URL: `https://sqs.${REGION}.amazonaws.com/1/dead`,
      },
    });
    expect(proxy.requests).toContain(`CONNECT portal.sso.${REGION}.amazonaws.com:443`);
    expect(stdout).toMatch(/^ok +HTTPS_PROXY +requests over https go through\s+http:\/\/127\.0\.0\.1:\d+/m);
    expect(stdout).not.toContain('hunter2');
    expect(code).toBe(1);
  });
});
