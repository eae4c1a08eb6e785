/** The Python producer with Debian's boto3, whose client speaks the query protocol, against the sandbox. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cloud, startCloud } from '../../src/sandbox/cloud.ts';
import { pythonWith, runPython } from '../../testing/contract/python.ts';
import { type QueryFront, startQueryFront } from '../../testing/contract/query-front.ts';
import { failEntries } from '../../testing/sqs/faults.ts';
import { type SqsProxy, type SqsRule, sqsError, startSqsProxy } from '../../testing/sqs/proxy.ts';

const folder = join(import.meta.dirname, '../../producers/python');
const python = pythonWith('jsonschema', 'boto3');

let cloud: Cloud;
let proxy: SqsProxy;
let front: QueryFront;
beforeAll(async () => {
  cloud = await startCloud({ host: '127.0.0.1', sqsPort: 0, apiPort: 0, token: 't', api: {} });
  proxy = await startSqsProxy(cloud.sqsUrl);
  proxy.rule = ruleByDescription();
  front = await startQueryFront(proxy.url);
});
afterAll(async () => {
  await front.close();
  await proxy.close();
  await cloud.close();
});

/** What becomes of a message, its description says. */
function ruleByDescription(): SqsRule {
  const throttled = new Set<string>();
  const slow = ['once'];
  const entries = failEntries(({ MessageBody }) => {
    const body = String(MessageBody);
    if (body.includes('"poison"')) return { code: 'InvalidMessageContents', senderFault: true };
    if (!body.includes('"throttled once"') || throttled.has(body)) return undefined;
    throttled.add(body);
    return { code: 'RequestThrottled', senderFault: true };
  });
  return (request, forward) => {
    const said = request.action === 'SendMessageBatch' ? JSON.stringify(request.input) : '';
    if (said.includes('lost')) return 'reset';
    if (said.includes('unnamed')) return { status: 200, output: {} };
    if (said.includes('slow once') && slow.splice(0).length > 0)
      return sqsError(408, 'RequestTimeout', 'slow');
    if (said.includes('denied')) return sqsError(403, 'AccessDenied', 'not you');
    if (said.includes('poison for all')) return sqsError(400, 'InvalidMessageContents', 'one of them');
    return entries(request, forward);
  };
}

describe.skipIf(python === undefined)('the Python producer', () => {
  const env = (): Record<string, string> => ({
    PYTHONPATH: join(folder, 'src'),
    ENDPOINT: front.url,
    QUEUE_URL: cloud.queueUrl,
    AWS_DEFAULT_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'x',
    AWS_SECRET_ACCESS_KEY: 'x',
  });

  test('passes its own tests', async () => {
    const { code, stderr } = await runPython(
      python ?? '',
      ['-m', 'unittest', 'discover', '-s', join(folder, 'tests')],
      '',
      env(),
    );
    expect(stderr).toMatch(/Ran [12][0-9] tests[\s\S]*OK/);
    expect(code).toBe(0);
  });

  test('does what its README shows', async () => {
    const [, example = ''] =
      /```python\n([\s\S]*?)```/.exec(await readFile(join(folder, 'README.md'), 'utf8')) ?? [];
    // The region as the sandbox's file and most platforms give it: boto3 alone does not read this variable.
    const { AWS_DEFAULT_REGION: AWS_REGION = '', ...rest } = env();
    const shown = { ...rest, AWS_REGION, AWS_ENDPOINT_URL_SQS: front.url };
    // Debian's boto3 does not know the variable of the endpoint yet.
    const code = example.replace(
      'boto3.client("sqs"',
      'boto3.client("sqs", endpoint_url=os.environ["ENDPOINT"]',
    );
    expect(code).not.toBe(example);
    expect(await runPython(python ?? '', ['-c', code], '', shown)).toEqual({
      code: 0,
      stdout: 'sent 2 of 2 \n',
      stderr: '',
    });
  });
});
