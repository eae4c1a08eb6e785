/** Each target against a server over HTTP: AWS's own clients for SNS and EventBridge. */
import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Target, Telling } from '../../src/notices/target.ts';
import { openTargets, targetsOf } from '../../src/notices/targets/index.ts';
import { systemClock } from '../../src/time/clock.ts';
import { startForwardProxy } from '../../testing/faults/forward-proxy.ts';
import {
  eventRefused,
  eventsError,
  eventsTaken,
  snsError,
  snsInput,
  snsTaken,
} from '../../testing/notices/aws.ts';
import { notice } from '../../testing/notices/outbox.ts';
import { type StandIn, type StandInRule, startStandIn } from '../../testing/notices/stand-in.ts';

const secret = `whsec_${randomBytes(32).toString('base64')}`;
const topic = 'arn:aws:sns:eu-central-1:123456789012:jobs';
const never = new AbortController().signal;

async function standIn(rule: StandInRule): Promise<StandIn> {
  const server = await startStandIn(rule);
  onTestFinished(() => server.close());
  return server;
}

const unset = {
  notifyWebhookUrl: undefined,
  notifyWebhookSecret: undefined,
  notifyTopicArn: undefined,
  notifyEventBus: undefined,
};

async function open(settings: Partial<Parameters<typeof openTargets>[0]>): Promise<Target> {
  const [target] = await openTargets(
    { ...unset, ...settings },
    { env: {}, clock: systemClock, version: '1.2.3' },
  );
  if (target === undefined) throw new Error('no target');
  onTestFinished(() => target.close());
  return target;
}

function useAws(server: StandIn): void {
  vi.stubEnv('AWS_ENDPOINT_URL', server.url);
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDTEST');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret-key-of-tests');
  onTestFinished(() => void vi.unstubAllEnvs());
}

const webhook = (server: StandIn, path = '/hooks/ota?key=abc'): Promise<Target> =>
  open({ notifyWebhookUrl: `${server.url}${path}`, notifyWebhookSecret: [secret] });

describe('the targets that are set up', () => {
  test.each([
    [{}, []],
    [{ notifyWebhookUrl: 'https://x', notifyWebhookSecret: [secret] }, ['webhook']],
    [{ notifyTopicArn: topic, notifyEventBus: 'fleet' }, ['sns', 'eventbridge']],
  ])('%j', async (settings, names) => {
    expect(targetsOf({ ...unset, ...settings })).toEqual(names);
    const targets = await openTargets(
      { ...unset, ...settings },
      { env: {}, clock: systemClock, version: '1' },
    );
    for (const target of targets) target.close();
    expect(targets.map(({ name }) => name)).toEqual(names);
  });
});

describe('the webhook', () => {
  test('gets the notice, signed, and with an id that stays the same', async () => {
    const server = await standIn(() => ({ status: 204 }));
    const target = await webhook(server);
    expect(await target.tell(notice, never)).toEqual({ ok: true });
    await target.tell(notice, never);
    const [first, again] = server.requests;
    expect(first).toMatchObject({
      path: '/hooks/ota?key=abc',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'ota-updater/1.2.3',
        'webhook-id': notice.id,
      },
    });
    expect(again?.headers['webhook-id']).toBe(notice.id);
    const headers = first?.headers as Record<string, string>;
    expect(new Webhook(secret).verify(first?.body ?? '', headers)).toEqual({
      type: 'job.aborted',
      timestamp: notice.at,
      data: notice,
    });
  });

  const passing: [string, ReturnType<StandInRule>, RegExp][] = [
    ['500', { status: 500 }, /^it answered 500$/],
    ['503 with a page', { status: 503, body: '<h1>later\u001b[31m</h1>' }, /^it answered 503 \(<h1>later\\u/],
    ['429', { status: 429 }, /^it answered 429$/],
    ['408', { status: 408 }, /^it answered 408$/],
    ['a connection that breaks', 'reset', /^it cannot be reached: .*ECONNRESET/],
  ];
  test.each(passing)('may take it later after %s', async (_, answer, why) => {
    const target = await webhook(await standIn(() => answer));
    expect(await target.tell(notice, never)).toMatchObject({
      ok: false,
      passing: true,
      why: expect.stringMatching(why),
    });
  });

  test.each([400, 401, 403, 404, 410, 422])('never takes it after %i', async (status) => {
    const target = await webhook(await standIn(() => ({ status })));
    expect(await target.tell(notice, never)).toEqual({
      ok: false,
      passing: false,
      why: `it answered ${status}: check NOTIFY_WEBHOOK_URL and NOTIFY_WEBHOOK_SECRET`,
    });
  });

  test('is not left by a redirect', async () => {
    const elsewhere = await standIn(() => ({ status: 200 }));
    const server = await standIn(() => ({ status: 307, headers: { location: elsewhere.url } }));
    const target = await webhook(server);
    expect(await target.tell(notice, never)).toMatchObject({
      ok: false,
      passing: false,
      why: expect.stringContaining('redirects are not followed'),
    });
    expect(elsewhere.requests).toEqual([]);
  });

  test('says how long to wait', async () => {
    const target = await webhook(await standIn(() => ({ status: 429, headers: { 'retry-after': '30' } })));
    expect(await target.tell(notice, never)).toMatchObject({ passing: true, afterMs: 30_000 });
  });

  test('may answer without end', async () => {
    const target = await webhook(await standIn(() => 'endless'));
    expect(await target.tell(notice, never)).toEqual({ ok: true });
  });

  test('is left when the signal aborts', async () => {
    const server = await standIn(() => 'hang');
    const target = await webhook(server);
    const stop = new AbortController();
    const told = target.tell(notice, stop.signal);
    await server.arrived(1);
    stop.abort();
    expect(await told).toMatchObject({ ok: false, passing: true });
  });

  test('is named without what may be secret, and a secret that it quotes is not shown', async () => {
    const server = await standIn(() => ({ status: 400, body: `bad ${secret}` }));
    const target = await webhook(server);
    expect(target.place).toBe(`the webhook at ${new URL(server.url).host}`);
    const told = await target.tell(notice, never);
    expect(JSON.stringify(told)).not.toContain(secret.slice(6, 20));
  });

  test('is reached through the proxy of the environment', async () => {
    const server = await standIn(() => ({ status: 204 }));
    const proxy = await startForwardProxy();
    onTestFinished(() => proxy.close());
    const url = `http://hooks.test:${new URL(server.url).port}/ota`;
    const settings = { ...unset, notifyWebhookUrl: url, notifyWebhookSecret: [secret] };
    const context = { env: { HTTP_PROXY: proxy.url }, clock: systemClock, version: '1' };
    const [target] = await openTargets(settings, context);
    onTestFinished(() => target?.close());
    expect(await target?.tell(notice, never)).toEqual({ ok: true });
    expect(proxy.requests).toEqual([`POST ${url}`]);
    expect(server.requests[0]?.headers).not.toHaveProperty('proxy-authorization');
  });

  test('is not there', async () => {
    const server = await standIn(() => ({ status: 200 }));
    const target = await webhook(server);
    await server.close();
    expect(await target.tell(notice, never)).toEqual({
      ok: false,
      passing: true,
      why: 'it cannot be reached: connection refused: nothing listens there (ECONNREFUSED)',
    });
  });
});

type Case = [string, ReturnType<StandInRule>, Partial<Extract<Telling, { ok: false }>>];

describe('the SNS topic', () => {
  test('gets the same body, with attributes to filter by, in the region of the topic', async () => {
    const server = await standIn(() => snsTaken);
    useAws(server);
    const target = await open({ notifyTopicArn: topic });
    expect(await target.tell(notice, never)).toEqual({ ok: true });
    const [request] = server.requests;
    if (request === undefined) throw new Error('no request');
    const input = snsInput(request);
    expect(input).toMatchObject({
      Action: 'Publish',
      TopicArn: topic,
      Subject: 'Job 2026-11-fleet was aborted by a rule',
    });
    expect(JSON.parse(input.Message ?? '')).toEqual({
      type: 'job.aborted',
      timestamp: notice.at,
      data: notice,
    });
    expect(Object.values(input)).toEqual(expect.arrayContaining(['kind', 'aborted', 'jobId', notice.jobId]));
    expect(input).not.toHaveProperty('MessageGroupId');
    expect(request.headers.authorization).toContain('/eu-central-1/sns/aws4_request');
  });

  test('that is FIFO gets them in order for each job, and a repeated one once', async () => {
    const server = await standIn(() => snsTaken);
    useAws(server);
    const target = await open({ notifyTopicArn: `${topic}.fifo` });
    await target.tell(notice, never);
    const [request] = server.requests;
    if (request === undefined) throw new Error('no request');
    expect(snsInput(request)).toMatchObject({
      MessageGroupId: notice.jobId,
      MessageDeduplicationId: notice.id,
    });
  });

  const cases: Case[] = [
    ['throttling', snsError(400, 'Throttling', 'Rate exceeded'), { passing: true }],
    ['an error of its own', snsError(500, 'InternalError', 'x'), { passing: true }],
    [
      'a policy',
      snsError(403, 'AuthorizationError', 'not authorized to perform: SNS:Publish'),
      { passing: true, why: expect.stringContaining('sns:Publish on it') },
    ],
    [
      'no such topic',
      snsError(404, 'NotFound', 'Topic does not exist'),
      { passing: false, why: expect.stringContaining('check NOTIFY_TOPIC_ARN') },
    ],
    [
      'a page of a proxy',
      { status: 200, body: '<html>' },
      { passing: true, why: expect.stringContaining('is not AWS') },
    ],
    [
      'a good page',
      { status: 200, body: '<html><p>hi</p></html>' },
      { passing: true, why: expect.stringContaining('is not AWS') },
    ],
    ['a connection that breaks', 'reset', { passing: true }],
  ];
  test.each(cases)('refuses with %s', async (_, answer, telling) => {
    const server = await standIn(() => answer);
    useAws(server);
    const target = await open({ notifyTopicArn: topic });
    expect(await target.tell(notice, never)).toMatchObject({ ok: false, ...telling });
    expect(server.requests).toHaveLength(1);
  });
});

describe('the event bus', () => {
  test('gets an event that rules can match', async () => {
    const server = await standIn(eventsTaken);
    useAws(server);
    const target = await open({ notifyEventBus: 'fleet' });
    expect(await target.tell(notice, never)).toEqual({ ok: true });
    const [request] = server.requests;
    expect(request?.headers['x-amz-target']).toBe('AWSEvents.PutEvents');
    const { Entries } = JSON.parse(request?.body ?? '') as { Entries: [Record<string, string>] };
    expect(Entries).toHaveLength(1);
    expect(Entries[0]).toMatchObject({
      EventBusName: 'fleet',
      Source: 'ota-updater',
      DetailType: 'Job Aborted',
      Time: Date.parse(notice.at) / 1_000,
    });
    expect(JSON.parse(Entries[0].Detail ?? '')).toEqual(notice);
  });

  const cases: Case[] = [
    ['an entry throttled', eventRefused('ThrottlingException', 'slow'), { passing: true }],
    ['an entry failed', eventRefused('InternalFailure', 'x'), { passing: true }],
    ['an entry denied', eventRefused('NotAuthorizedForSource', 'x'), { passing: false }],
    [
      'no such bus',
      eventsError(400, 'ResourceNotFoundException', 'no bus'),
      { passing: false, why: expect.stringContaining('check NOTIFY_EVENT_BUS') },
    ],
    ['a policy', eventsError(400, 'AccessDeniedException', 'x'), { passing: true }],
    ['an error of its own', eventsError(500, 'InternalException', 'x'), { passing: true }],
  ];
  test.each(cases)('refuses with %s', async (_, answer, telling) => {
    const server = await standIn(() => answer);
    useAws(server);
    const target = await open({ notifyEventBus: 'fleet' });
    expect(await target.tell(notice, never)).toMatchObject({ ok: false, ...telling });
  });
});
