/** docs/producers.md: what can run without AWS runs against the sandbox; of the rest, what is sent is checked. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseBody } from '../../src/message/parse.ts';
import { updateFields } from '../../src/message/update.ts';
import { createSqsClient } from '../../src/queue/client.ts';
import { Queue } from '../../src/queue/queue.ts';
import { allCases } from '../../testing/cases.ts';
import { installed } from '../../testing/installed.ts';
import { startSandbox } from '../../testing/processes/ota.ts';
import { receiveAll } from '../../testing/stages/servers.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/producers.md'), 'utf8');
const now = Date.parse('2026-11-23T07:00:00Z');

/** The blocks that follow a mark. */
function blocks(mark: string): string[] {
  return [...page.matchAll(new RegExp(`<!-- ${mark} -->\\s*\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, text = '']) => text,
  );
}

describe('the page for producers', () => {
  // Debian's is of version 2 and speaks the query protocol. The first on the PATH may be of version 1, which does not read the endpoint from
  // the environment.
  const programs = ['/usr/bin/aws', 'aws'].flatMap(
    (program) => installed([program], 'the commands of docs/producers.md are not run with it') ?? [],
  );

  test.for(allCases() ? programs : programs.slice(0, 1))(
    'has commands that send what the worker takes, in the sandbox: %s',
    async (aws) => {
      const folder = await mkdtemp(join(tmpdir(), 'ota-updater-producers-'));
      onTestFinished(() => rm(folder, { recursive: true }));
      expect(page).toContain('`npx ota-updater sandbox --no-console`');
      // Without its worker, so that what was sent can be looked at.
      const { env } = await startSandbox(['--no-worker'], { cwd: folder, env: {} });
      const { QUEUE_URL = '', OUTCOME_QUEUE_URL = '' } = env;
      const { AWS_ENDPOINT_URL_SQS: endpoint = '', AWS_REGION: region = '' } = env;
      const client = createSqsClient(2, {
        endpoint,
        region,
        credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
      });
      onTestFinished(() => client.destroy());
      await new Queue(client, OUTCOME_QUEUE_URL).send([{ key: '1', body: '{"Outcome":"applied"}' }]);
      const PATH = [...(aws.startsWith('/') ? [dirname(aws)] : []), process.env.PATH].join(delimiter);
      const commands = [...blocks('try'), ...blocks('run')].join('\n');
      const { stdout, stderr } = await promisify(execFile)('sh', ['-c', `set -e\n${commands}`], {
        cwd: folder,
        env: { PATH, HOME: folder },
      });
      expect(stderr).toBe('');
      expect(stdout).toContain('{"Outcome":"applied"}');

      const messages = await receiveAll(new Queue(client, QUEUE_URL));
      const checks = messages.map(({ body, sentAt }) => parseBody(body, sentAt));
      expect(checks).toEqual(checks.map(() => expect.objectContaining({ ok: true })));
      const sent = checks.map((check) => (check.ok ? check.update.RequestId : undefined));
      expect(sent.sort()).toEqual(['1', '2', '3', '4']);
      expect(messages.filter(({ attributes }) => attributes.traceparent !== undefined)).toHaveLength(1);
    },
  );

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
