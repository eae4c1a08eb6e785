/** The receiver on the page of notices, run as it stands there. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bodyOf, type Notice } from '../../src/notices/notice.ts';
import { openTargets } from '../../src/notices/targets/index.ts';
import { systemClock } from '../../src/time/clock.ts';
import { notice } from '../../testing/notices/outbox.ts';
import { Child } from '../../testing/processes/child.ts';

const page = readFileSync('docs/notices.md', 'utf8');
const never = new AbortController().signal;

async function startReceiver(secret: string) {
  const [, program = ''] = /<!-- verify:start -->\s*```js\n([\s\S]*?)```/.exec(page) ?? [];
  const folder = mkdtempSync(join(tmpdir(), 'receiver-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'receiver.mjs');
  writeFileSync(path, program);
  const child = Child.startNode([path], {
    env: { NOTIFY_WEBHOOK_SECRET: secret, PORT: '0' },
    keepOutput: true,
  });
  onTestFinished(() => child.end());
  const port = await child.find((line) => /^listening on (\d+)/.exec(line)?.[1]);
  return { child, url: `http://127.0.0.1:${port}/` };
}

async function tell(url: string, secret: string, one: Notice) {
  const [target] = await openTargets(
    {
      notifyWebhookUrl: url,
      notifyWebhookSecret: [secret],
      notifyTopicArn: undefined,
      notifyEventBus: undefined,
    },
    { env: {}, clock: systemClock, version: '1' },
  );
  const told = await target?.tell(one, never);
  target?.close();
  return told;
}

test('takes what is signed with its secret, once, and refuses everything else', async () => {
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const { child, url } = await startReceiver(secret);
  expect(await tell(url, secret, notice)).toEqual({ ok: true });
  expect(await tell(url, secret, notice)).toEqual({ ok: true });
  const other = `whsec_${randomBytes(32).toString('base64')}`;
  expect(await tell(url, other, notice)).toMatchObject({ ok: false, passing: false });
  expect((await fetch(url, { method: 'POST', body: JSON.stringify(bodyOf(notice)) })).status).toBe(401);
  expect(await tell(url, secret, { ...notice, id: 'last', jobId: 'last' })).toEqual({ ok: true });
  await child.find((line) => (line === 'job.aborted last' ? true : undefined));
  expect(child.output.stdout.match(/job\.aborted/g)).toHaveLength(2);
});

test('the body on the page is one', () => {
  const [, json = ''] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
  const { report, ...shown } = (JSON.parse(json) as { data: Notice }).data;
  expect({ ...JSON.parse(json), data: shown }).toEqual(bodyOf(notice));
  expect(report).toMatch(/^s3:/);
});
