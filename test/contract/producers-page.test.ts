/** docs/producers.md: what can run without AWS runs against the sandbox; of the rest, what is sent is checked. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseBody } from '../../src/message/parse.ts';
import { updateFields } from '../../src/message/update.ts';
import { createSqsClient, type SQSClient } from '../../src/queue/client.ts';
import { Queue } from '../../src/queue/queue.ts';
import { type Cloud, startCloud } from '../../src/sandbox/cloud.ts';
import { installed } from '../../testing/installed.ts';
import { receiveAll } from '../../testing/stages/servers.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/producers.md'), 'utf8');
const now = Date.parse('2026-11-23T07:00:00Z');

/** The blocks that follow a mark. */
function blocks(mark: string): string[] {
  return [...page.matchAll(new RegExp(`<!-- ${mark} -->\\s*\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, text = '']) => text,
  );
}

let cloud: Cloud;
let client: SQSClient;
beforeAll(async () => {
  cloud = await startCloud({ host: '127.0.0.1', sqsPort: 0, apiPort: 0, token: 't', api: {} });
  client = createSqsClient(2, { ...cloud.client, endpoint: cloud.sqsUrl });
});
afterAll(async () => {
  client.destroy();
  await cloud.close();
});

describe('the page for producers', () => {
  // Debian's first: it speaks the query protocol.
  const aws = installed(['/usr/bin/aws', 'aws'], 'the commands of docs/producers.md are not run');

  test.skipIf(aws === undefined)('has commands that send what the worker takes', async () => {
    const queue = new Queue(client, cloud.queueUrl);
    const outcomes = new Queue(client, cloud.outcomeQueueUrl);
    await outcomes.send([{ key: '1', body: '{"Outcome":"applied"}' }]);
    const { arn = '' } = await queue.attributes();
    const env = {
      ...process.env,
      QUEUE_URL: cloud.queueUrl,
      OUTCOME_QUEUE_URL: cloud.outcomeQueueUrl,
      QUEUE_ARN: arn,
      AWS_DEFAULT_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
    };
    const prelude = `set -e\naws() { command ${aws} --endpoint-url ${cloud.sqsUrl} "$@"; }\n`;
    const { stdout, stderr } = await promisify(execFile)('sh', ['-c', prelude + blocks('run').join('\n')], {
      env,
    });
    expect(stderr).toBe('');
    expect(stdout).toContain('{"Outcome":"applied"}');

    const messages = await receiveAll(queue);
    const checks = messages.map(({ body, sentAt }) => parseBody(body, sentAt));
    expect(checks).toEqual(checks.map(() => expect.objectContaining({ ok: true })));
    const sent = checks.map((check) => (check.ok ? check.update.RequestId : undefined));
    expect(sent.sort()).toEqual(['1', '2', '3', '4']);
    expect(messages.filter(({ attributes }) => attributes.traceparent !== undefined)).toHaveLength(1);
  });

  test('shows an event of EventBridge that the worker takes', () => {
    const [entries = ''] = blocks('event');
    const [{ Source, DetailType, Detail }] = JSON.parse(entries) as [Record<string, string>];
    const event = { source: Source, 'detail-type': DetailType, detail: JSON.parse(Detail ?? '') as unknown };
    expect(parseBody(JSON.stringify(event), now)).toMatchObject({ ok: true });
  });

  test('shows a template of a pipe that makes what the worker takes', () => {
    const [target = ''] = blocks('pipe');
    const { InputTemplate } = JSON.parse(target) as { InputTemplate: string };
    expect(parseBody(InputTemplate.replace(/<[^>]+>/g, 'x1'), now)).toMatchObject({ ok: true });
  });

  test('shows a state of Step Functions with the fields of an update', () => {
    const [state = ''] = blocks('state');
    const { Parameters } = JSON.parse(state) as { Parameters: { MessageBody: object } };
    const fields = Object.keys(Parameters.MessageBody).map((name) => name.replace(/\.\$$/, ''));
    expect(fields.filter((name) => !(updateFields as readonly string[]).includes(name))).toEqual([]);
  });

  test('shows a CloudEvent that the worker takes', () => {
    expect(blocks('body').map((body) => parseBody(body, now))).toEqual([
      { ok: true, update: { Identifier: 'a1B2c3', Description: 'Nightly roll-out 7' }, eventAt: now },
    ]);
  });
});
