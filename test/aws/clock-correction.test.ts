/** A request refused for this machine's clock is made once more, signed with the server's time. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createOtaApi } from '../../src/ota/client.ts';
import { createSqsClient } from '../../src/queue/client.ts';
import { Queue } from '../../src/queue/queue.ts';

const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
const HOUR_MS = 3_600_000;

/** A service whose clock is `aheadMs` ahead, and which refuses what is signed more than 5 minutes off. */
async function startService(aheadMs: number, refusal: string, status: number) {
  const seen = { requests: 0 };
  const server = createServer((request, response) => {
    seen.requests++;
    request.resume();
    const now = Date.now() + aheadMs;
    const [, day = '', time = ''] = /^(\d{8})T(\d{6})Z$/.exec(String(request.headers['x-amz-date'])) ?? [];
    const pairs = (text: string, mark: string): string => text.match(/\d\d/g)?.slice(-3).join(mark) ?? '';
    const signed = Date.parse(`20${pairs(day, '-')}T${pairs(time, ':')}Z`);
    const bad = Math.abs(signed - now) > 5 * 60_000;
    response.writeHead(bad ? 403 : status, {
      date: new Date(now).toUTCString(),
      'x-amzn-requestid': 'r',
      'content-type': 'application/x-amz-json-1.0',
      ...(bad && { 'x-amzn-errortype': refusal }),
    });
    request.on('end', () =>
      response.end(bad ? JSON.stringify({ __type: refusal, message: 'off' }) : ok(status)),
    );
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => void server.close());
  return { seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const ok = (status: number): string => (status === 204 ? '' : '{"Attributes":{"QueueArn":"arn"}}');

test.each(['InvalidSignatureException', 'SignatureDoesNotMatch', 'RequestExpired'])(
  'of SQS: %s',
  async (refusal) => {
    const { seen, url } = await startService(HOUR_MS, refusal, 200);
    const client = createSqsClient(1, { region: 'eu-west-1', credentials });
    onTestFinished(() => client.destroy());
    const queue = new Queue(client, `${url}/1/q`);
    expect(await queue.attributes()).toMatchObject({ arn: 'arn' });
    // The next request is signed with the right time from the start.
    await queue.attributes();
    expect(seen.requests).toBe(3);
  },
);

test('of the API', async () => {
  const { seen, url } = await startService(-HOUR_MS, 'InvalidSignatureException', 204);
  const api = createOtaApi({
    callTimeoutMs: 20_000,
    maxSockets: 1,
    client: { region: 'eu-west-1', credentials, endpoint: url },
  });
  onTestFinished(() => api.destroy());
  expect(await api.updateOtaTask({ Identifier: 'a' }, new AbortController().signal)).toMatchObject({
    ok: true,
  });
  expect(seen.requests).toBe(2);
});

test('a refusal for another reason is final, whatever the clock', async () => {
  const { seen, url } = await startService(HOUR_MS, 'AccessDeniedException', 200);
  const client = createSqsClient(1, { region: 'eu-west-1', credentials });
  onTestFinished(() => client.destroy());
  await expect(new Queue(client, `${url}/1/q`).attributes()).rejects.toThrow('off');
  expect(seen.requests).toBe(1);
});
