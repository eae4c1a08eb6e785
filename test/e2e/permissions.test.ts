/** The policies in deploy/iam allow each role exactly the calls that it is seen to make here, and no others. */
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { openBucket } from '../../src/jobs/file-report/s3.ts';
import { openTargets } from '../../src/notices/targets/index.ts';
import { systemClock } from '../../src/time/clock.ts';
import { eventsTaken, snsInput, snsTaken } from '../../testing/notices/aws.ts';
import { notice } from '../../testing/notices/outbox.ts';
import { startStandIn } from '../../testing/notices/stand-in.ts';
import { startS3 } from '../../testing/s3/server.ts';
import { type SqsProxy, startSqsProxy } from '../../testing/sqs/proxy.ts';
import { useApi } from '../../testing/stages/jobs.ts';
import { runInProcess } from '../../testing/stages/letters.ts';
import { setStage } from '../../testing/stages/stage.ts';

const folder = 'deploy/iam';

interface Statement {
  readonly Sid: string;
  readonly Effect: string;
  readonly Principal?: unknown;
  readonly Action: string | string[];
  readonly Resource: string | string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const list = (value: string | readonly string[]): readonly string[] => [value].flat();

function statements(path: string): readonly Statement[] {
  return (JSON.parse(readFileSync(join(folder, path), 'utf8')) as { Statement: Statement[] }).Statement;
}

/** `ACTION on RESOURCE`, for everything that a policy allows. */
function allowed(role: string): string[] {
  const all = statements(`${role}.json`).flatMap(({ Action, Resource }) =>
    list(Action).flatMap((action) => list(Resource).map((resource) => `${action} on ${resource}`)),
  );
  expect(new Set(all).size).toBe(all.length);
  return all.toSorted();
}

const placeholders: Readonly<Record<string, string>> = {
  updates: 'UPDATE_QUEUE',
  dead: 'DEAD_LETTER_QUEUE',
  outcomes: 'OUTCOME_QUEUE',
};
const key = 'arn:aws:kms:REGION:ACCOUNT_ID:key/KEY_ID';

/** The permissions that the requests so far needed, those for an encrypted queue included. */
function needed(proxy: SqsProxy, apiCalls: ReadonlySet<string>): string[] {
  const all = new Set<string>();
  for (const { action, queue } of proxy.requests) {
    const name = `sqs:${action.replace(/Batch$/, '')}`;
    all.add(`${name} on arn:aws:sqs:REGION:ACCOUNT_ID:${placeholders[queue]}`);
    if (name === 'sqs:SendMessage') all.add(`kms:GenerateDataKey on ${key}`);
    if (name === 'sqs:SendMessage' || name === 'sqs:ReceiveMessage') all.add(`kms:Decrypt on ${key}`);
  }
  for (const operation of apiCalls) {
    const resource = unconfined.has(operation)
      ? '*'
      : 'arn:aws:iotmanagedintegrations:REGION:ACCOUNT_ID:ota-task/*';
    all.add(`iotmanagedintegrations:${operation} on ${resource}`);
  }
  return [...all].toSorted();
}

/** Operations that AWS knows no resource for. */
const unconfined: ReadonlySet<string> = new Set([
  'ListOtaTasks',
  'GetOtaTaskConfiguration',
  'ListOtaTaskConfigurations',
  'CreateOtaTaskConfiguration',
]);

function operationOf(method: string, url: string): string {
  const [, resource = '', id = '', part] = url.split(/[/?]/);
  if (resource === 'ota-task-configurations') {
    if (method === 'POST') return 'CreateOtaTaskConfiguration';
    return /^\/[^/?]+\/./.test(url) ? 'GetOtaTaskConfiguration' : 'ListOtaTaskConfigurations';
  }
  if (method === 'PUT') return 'UpdateOtaTask';
  if (!/^\/ota-tasks\/./.test(url)) return 'ListOtaTasks';
  return part === 'devices' && id !== '' ? 'ListOtaTaskExecutions' : 'GetOtaTask';
}

/** Passes requests on to the API, and notes their operations. */
async function recordApi(upstream: string) {
  const calls = new Set<string>();
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    calls.add(operationOf(method, url));
    const body = method === 'GET' ? {} : { body: await text(request) };
    const { authorization = '' } = headers;
    const answer = await fetch(upstream + url, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      ...body,
    });
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(await answer.text());
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { calls, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function proxied(): Promise<SqsProxy> {
  const proxy = await startSqsProxy();
  onTestFinished(() => proxy.close());
  return proxy;
}

/** Commands that go through proxies, while a worker beside them does not. */
async function setCommands() {
  const stage = await setStage({ outcomes: true });
  onTestFinished(() => stage.strike());
  const proxy = await proxied();
  proxy.upstream = stage.sqsUrl;
  const api = await recordApi(stage.api.url);
  useApi(stage.api);
  vi.stubEnv('AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS', api.url);
  const cwd = mkdtempSync(join(tmpdir(), 'permissions-'));
  onTestFinished(() => rmSync(cwd, { recursive: true }));
  const url = (name: string): string => `${proxy.url}/000000000000/${name}`;
  const env = stage.environment({
    STATE_DIR: cwd,
    QUEUE_URL: url('updates'),
    DEAD_LETTER_QUEUE_URL: url('dead'),
    OUTCOME_QUEUE_URL: url('outcomes'),
    AWS_ENDPOINT_URL_SQS: undefined,
  });
  const run = async (...args: readonly string[]): Promise<void> => {
    const { exitCode, both } = await runInProcess(args, { env });
    expect(exitCode, both).toBe(0);
  };
  return { stage, proxy, api, cwd, run };
}

const never = new AbortController().signal;

/** What filing reports needs: small ones, large ones, and one that fails. */
async function filingNeeds(): Promise<string[]> {
  const s3 = await startS3(['reports']);
  onTestFinished(() => s3.close());
  vi.stubEnv('AWS_ENDPOINT_URL_S3', s3.url);
  const bucket = openBucket({ bucket: 'reports', prefix: 'j/' }, { AWS_ENDPOINT_URL_S3: s3.url });
  onTestFinished(() => bucket.close());
  async function* parts(then: () => void) {
    for (let i = 0; i < 9; i++) yield Buffer.alloc(1_048_576);
    then();
  }
  const fail = (): never => {
    throw new Error('the ledger is damaged');
  };
  await bucket.put('small', 'text/csv', Readable.from([Buffer.from('x')]));
  await bucket.put(
    'large',
    'text/csv',
    parts(() => {}),
  );
  await expect(bucket.put('failed', 'text/csv', parts(fail))).rejects.toThrow('damaged');
  // S3 asks for the same permission for all requests of an upload.
  const names = s3.requests.map(({ action }) =>
    action === 'AbortMultipartUpload' ? 's3:AbortMultipartUpload' : 's3:PutObject',
  );
  return [...new Set(names)].map((name) => `${name} on arn:aws:s3:::REPORT_BUCKET/*`);
}

async function noticesNeed(): Promise<string[]> {
  const [sns, events] = [await startStandIn(() => snsTaken), await startStandIn(eventsTaken)];
  onTestFinished(async () => {
    await sns.close();
    await events.close();
  });
  vi.stubEnv('AWS_ENDPOINT_URL_SNS', sns.url);
  vi.stubEnv('AWS_ENDPOINT_URL_EVENTBRIDGE', events.url);
  const targets = await openTargets(
    {
      notifyWebhookUrl: undefined,
      notifyWebhookSecret: undefined,
      notifyTopicArn: 'arn:aws:sns:eu-west-1:000000000000:jobs',
      notifyEventBus: 'default',
    },
    { env: {}, clock: systemClock, version: '1' },
  );
  for (const target of targets) {
    expect(await target.tell(notice, never)).toEqual({ ok: true });
    target.close();
  }
  const actions = sns.requests.map((request) => `sns:${snsInput(request).Action}`);
  const calls = events.requests.map(({ headers }) =>
    String(headers['x-amz-target']).replace('AWSEvents.', 'events:'),
  );
  return [
    ...actions.map((action) => `${action} on arn:aws:sns:REGION:ACCOUNT_ID:NOTIFY_TOPIC`),
    ...calls.map((action) => `${action} on arn:aws:events:REGION:ACCOUNT_ID:event-bus/NOTIFY_BUS`),
  ];
}

describe('a role may do what it does', () => {
  test('the worker', async () => {
    const proxy = await proxied();
    const calls = new Set<string>();
    const stage = await setStage({
      outcomes: true,
      sqs: { endpoint: proxy.url },
      wrapApi: (api) => ({
        updateOtaTask: (update, signal) => {
          calls.add('UpdateOtaTask');
          return api.updateOtaTask(update, signal);
        },
        destroy: () => api.destroy(),
      }),
      random: () => 0,
      env: { MAX_ATTEMPTS: '1' },
    });
    onTestFinished(() => stage.strike());
    proxy.upstream = stage.sqsUrl;
    stage.api.script('flaky', [{ status: 500, errorType: 'InternalServerException' }]);
    await stage.send({ Identifier: 'good', Description: 'x' }, 'no JSON', {
      Identifier: 'flaky',
      Description: 'x',
    });
    await stage.worker.start();
    await stage.ended(3);
    await stage.worker.stop();
    expect(needed(proxy, calls)).toEqual(allowed('worker'));
  });

  test('an enqueuer: enqueue, jobs and configs', async () => {
    const { stage, proxy, api, cwd, run } = await setCommands();
    const rows = join(cwd, 'rows.csv');
    const plan = join(cwd, 'j.jsonl');
    writeFileSync(rows, 'Identifier,TaskConfigurationId\ntask1,new\n');
    await stage.worker.start();
    await run('enqueue', rows);
    await run('jobs', 'plan', rows, '--refresh', '--job', 'j', '--out', plan);
    await stage.ended(1);
    await run(
      'jobs',
      'plan',
      '--from-tasks',
      '--set',
      'Description=x',
      '--job',
      'k',
      '--out',
      plan,
      '--force',
    );
    await run('jobs', 'apply', plan, '--yes');
    for (const command of ['status', 'report', 'reconcile']) await run('jobs', command, 'k');
    await run('jobs', 'verify', 'k', '--executions');
    await run('configs', 'list');
    await run('configs', 'diff', 'cfgA0', 'cfgA1');
    await run('configs', 'create', '--from', 'cfgA0', '--set', 'MaximumPerMinute=7');
    const others = [...(await filingNeeds()), ...(await noticesNeed())];
    expect([...needed(proxy, api.calls), ...others].toSorted()).toEqual(allowed('enqueuer'));
  });

  test('an operator: dead-letters and check', async () => {
    const { stage, proxy, api, run } = await setCommands();
    const body = '{"Identifier":"task1","Description":"x"}';
    await stage.dead.send([{ key: 'a', body }]);
    const reason = ['--all', '--yes', '--reason', 'x'];
    await run('check');
    await run('dead-letters', 'list');
    await run('dead-letters', 'redrive', ...reason);
    await stage.dead.send([{ key: 'a', body }]);
    await run('dead-letters', 'purge', ...reason);
    expect(needed(proxy, api.calls)).toEqual(allowed('operator'));
  });
});

describe('every policy', () => {
  const paths = globSync('**/*.json', { cwd: folder });
  const names =
    /REGION|PRODUCER_ACCOUNT_ID|ACCOUNT_ID|UPDATE_QUEUE|DEAD_LETTER_QUEUE|OUTCOME_QUEUE|KEY_ID|PRODUCER_ROLE|REPORT_BUCKET|NOTIFY_TOPIC|NOTIFY_BUS|TOPIC|RULE/g;

  test.each(paths)('%s holds placeholders that the page explains, and nothing of an account', (path) => {
    const policy = readFileSync(join(folder, path), 'utf8');
    const page = readFileSync(join(folder, 'README.md'), 'utf8');
    for (const name of policy.match(names) ?? []) expect(page).toContain(`| \`${name}\` |`);
    expect(policy).not.toMatch(/\d{12}/);
    expect(policy.replaceAll(names, '').replace('2012-10-17', '')).not.toMatch(/"[^"]*[A-Z]{3,}_/);
  });

  test.each(paths)('%s names actions and resources one by one', (path) => {
    for (const { Effect, Action, Resource } of statements(path)) {
      if (Effect === 'Deny') continue;
      expect(list(Action).join()).not.toContain('*');
      const wide =
        path.startsWith('key-policy') ||
        list(Action).every((action) => unconfined.has(action.replace('iotmanagedintegrations:', '')));
      if (!wide) expect(list(Resource)).not.toContain('*');
    }
  });

  test.each(paths)('%s lets a service in for one source only, and nobody without a name', (path) => {
    for (const { Effect, Principal, Condition, Sid } of statements(path)) {
      if (Effect === 'Deny' || Principal === undefined) continue;
      expect(Principal, Sid).not.toBe('*');
      if (!JSON.stringify(Principal).includes('Service')) continue;
      expect(Condition?.ArnEquals?.['aws:SourceArn'], Sid).toMatch(
        /^arn:aws:(sns|events):REGION:ACCOUNT_ID:/,
      );
      expect(Condition?.StringEquals?.['aws:SourceAccount'], Sid).toBe('ACCOUNT_ID');
    }
  });
});
