/** Who an Application Load Balancer says it is: believed by its signature only. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { AlbIdentity, fetchKeyText } from '../../src/console/access/alb-identity.ts';
import { sleep } from '../../src/time/clock.ts';
import { withOtherPages } from '../../testing/console/other-pages.ts';
import { ask, serveConsole } from '../../testing/console/serve.ts';

const ARN = 'arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/console/50dc6c495c0c9188';
const KID = 'c1f9f2a1-0000-4000-8000-000000000001';
const AT = Date.UTC(2026, 10, 29, 3);

/** As a load balancer writes it: with the padding that base64url leaves out. */
const part = (json: object): string =>
  Buffer.from(JSON.stringify(json)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');

const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const own = pair();

function tokenOf(
  header: Record<string, unknown> = {},
  payload: Record<string, unknown> = {},
  key: KeyObject = own.privateKey,
): string {
  const head = { alg: 'ES256', kid: KID, signer: ARN, iss: 'https://idp', exp: AT / 1_000 + 120, ...header };
  const signed = `${part(head)}.${part({ sub: 'ann', email: 'ann@example.com', ...payload })}`;
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64').replaceAll('+', '-').replaceAll('/', '_')}`;
}

async function setAlb() {
  const state = { now: AT, asked: [] as string[], away: false, url: '' };
  const server = createServer(({ url = '' }, response) => {
    state.asked.push(url);
    if (state.away) return void response.writeHead(500).end('no');
    if (url !== `/${KID}` && !url.startsWith('/more')) return void response.writeHead(404).end();
    response.end(own.publicKey.export({ type: 'spki', format: 'pem' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const local = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const alb = new AlbIdentity({
    arn: ARN,
    clock: { wall: () => state.now, monotonic: () => state.now },
    sleep,
    fetchText: (url, signal) => {
      const { origin, pathname } = new URL(url);
      state.url = origin;
      return fetchKeyText(`${local}${pathname}`, signal);
    },
  });
  onTestFinished(() => alb.close());
  const url = await serveConsole({
    sections: withOtherPages([]),
    trustedProxies: ['127.0.0.1'],
    now: () => state.now,
    identity: { header: 'x-amzn-oidc-identity', operators: ['ann'], alb },
  });
  const get = (token: string | undefined, headers: Record<string, string> = {}) =>
    ask(`${url}/task`, {
      headers: { ...(token !== undefined && { 'x-amzn-oidc-data': token }), ...headers },
    });
  return { alb, get, state };
}

test('the one whom its token names is who it is, by a key that is read once', async () => {
  const { get, state } = await setAlb();
  const answer = await get(tokenOf());
  expect([answer.status, answer.body.includes('<span>ann</span>')]).toEqual([200, true]);
  expect((await get(tokenOf({}, { sub: 'bob' }))).body).toContain('<span>bob (viewer)</span>');
  expect(state.asked).toEqual([`/${KID}`]);
  expect(state.url).toBe('https://public-keys.auth.elb.eu-west-1.amazonaws.com');
});

test.each([
  ['of another load balancer', tokenOf({ signer: `${ARN}0` }), 'another load balancer'],
  ['that has expired', tokenOf({ exp: AT / 1_000 - 60 }), 'it has expired'],
  ['that has expired by its payload', tokenOf({}, { exp: AT / 1_000 - 60 }), 'it has expired'],
  ['without an end', tokenOf({ exp: undefined }), 'it has expired'],
  ['by another key', tokenOf({}, {}, pair().privateKey), 'signature'],
  [
    'of no algorithm',
    `${part({ alg: 'none', kid: KID, signer: ARN, exp: 9e9 })}.${part({ sub: 'ann' })}.`,
    'alg',
  ],
  ['of a secret', tokenOf({ alg: 'HS256' }), 'alg'],
  ['of a key that is not there', tokenOf({ kid: 'none' }), 'there is no such key'],
  ['whose key is a path', tokenOf({ kid: '../more' }), 'it names no key'],
  ['that names nobody', tokenOf({}, { sub: '' }), 'it names nobody'],
  ['that was changed', tokenOf().replace(/\.[^.]+\./, `.${part({ sub: 'eve' })}.`), 'signature'],
  ['that is none', 'ann', ''],
])('a token %s is not believed', async (_what, token, why) => {
  const { get } = await setAlb();
  const { status, body } = await get(token, { 'x-amzn-oidc-identity': 'ann' });
  expect(status).toBe(403);
  expect(body).toMatch(/The load balancer&#39;s token is not accepted: /);
  expect(body.toLowerCase()).toContain(why.toLowerCase());
});

test('the header that anybody could write is not believed beside it', async () => {
  const { get } = await setAlb();
  const { status, headers } = await get(undefined, { 'x-amzn-oidc-identity': 'ann' });
  expect([status, headers.location]).toEqual([303, '/sign-in?to=%2Ftask']);
});

test('nobody is known while the keys are away, and it says since when; who is known already stays so', async () => {
  const { get, state } = await setAlb();
  state.away = true;
  const { status, body } = await get(tokenOf());
  expect(status).toBe(503);
  expect(body).toContain('cannot be read since 2026-11-29 03:00:00 UTC: an answer of status 500');
  state.away = false;
  await expect.poll(async () => (await get(tokenOf())).status).toBe(200);
  state.away = true;
  expect((await get(tokenOf())).status).toBe(200);
});

test('an id of no key is asked for once a minute, and one at a time', async () => {
  const { alb, state } = await setAlb();
  const none = { 'x-amzn-oidc-data': tokenOf({ kid: 'none' }) };
  const refused = { status: 403, why: expect.stringContaining('there is no such key') };
  const all = await Promise.all(Array.from({ length: 20 }, () => alb.identify(none)));
  expect(all).toEqual(Array(20).fill(refused));
  expect(state.asked).toEqual(['/none']);
  state.now += 59_999;
  await alb.identify(none);
  expect(state.asked).toHaveLength(1);
  state.now += 1;
  await alb.identify(none);
  expect(state.asked).toHaveLength(2);
});

test('no more keys are kept than a load balancer has', async () => {
  const { alb, state } = await setAlb();
  for (let i = 0; i < 50; i++)
    expect(await alb.identify({ 'x-amzn-oidc-data': tokenOf({ kid: `more${i}` }) })).toMatchObject({
      name: 'ann',
    });
  await alb.identify({ 'x-amzn-oidc-data': tokenOf({ kid: 'more49' }) });
  expect(state.asked).toHaveLength(50);
  await alb.identify({ 'x-amzn-oidc-data': tokenOf({ kid: 'more0' }) });
  expect(state.asked).toHaveLength(51);
});
