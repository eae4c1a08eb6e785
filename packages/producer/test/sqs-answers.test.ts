/** Both producers say the same of the same answer of SQS, through their SDKs' real clients. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allCases } from '../../../testing/cases.ts';
import { pythonsWith, runPython } from '../../../testing/contract/python.ts';
import { randomAnswers } from '../../../testing/contract/random-answers.ts';
import {
  type AnswerCase,
  type AnswerServer,
  certificatePath,
  startAnswerServer,
  updatesOf,
  type Verdict,
} from '../../../testing/contract/sqs-answers.ts';
import { UpdateProducer, type UpdateResult } from '../src/index.ts';

const root = join(import.meta.dirname, '../../..');
const table = JSON.parse(readFileSync(join(root, 'testing/contract/sqs-answers.json'), 'utf8')) as Record<
  string,
  (AnswerCase & { readonly says: Omit<Verdict, 'waits'> })[]
>;
const cases = Object.entries(table).flatMap(([group, some]) =>
  some.map((each) => ({ ...each, name: `${group}: ${each.name}` })),
);

const certificate = readFileSync(certificatePath);

const installed = pythonsWith('jsonschema', 'boto3');
const pythons = allCases() ? installed : installed.slice(0, 1);
let server: AnswerServer;
beforeAll(async () => {
  server = await startAnswerServer();
});
afterAll(() => server.close());

/** Short where no answer comes, long elsewhere: a machine under load is no reason to give an answer up. */
const timeoutOf = ({ answers }: AnswerCase): number =>
  answers.some(({ connection }) => connection === 'hang') ? 200 : 60_000;

async function inNode(all: readonly AnswerCase[]): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  const clients = new Map<string, SQSClient>();
  for (const each of all) {
    const [endpoint, requestTimeout] = [server.endpointOf(each), timeoutOf(each)];
    const key = `${endpoint} ${requestTimeout}`;
    const client =
      clients.get(key) ??
      new SQSClient({
        region: 'eu-west-1',
        endpoint,
        useQueueUrlAsEndpoint: false,
        credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
        maxAttempts: 1,
        requestHandler: { requestTimeout, throwOnRequestTimeout: true, httpsAgent: { ca: certificate } },
      });
    clients.set(key, client);
    const waits: number[] = [];
    const sleep = async (ms: number): Promise<void> => void waits.push(ms);
    const queueUrl = server.queueFor(each);
    const producer = new UpdateProducer({ client, queueUrl, random: () => 0.5, sleep });
    const { results, requests, failure } = await producer.send(updatesOf(each));
    const ends =
      failure === undefined ? null : failure.endsWith('6 times in a row') ? 'after six tries' : 'at once';
    verdicts.push({ updates: results.map(said), requests, ends, waits });
  }
  for (const client of clients.values()) client.destroy();
  return verdicts;
}

function said(result: UpdateResult): string {
  if (result.status === 'refused')
    return result.reason.replace(/^SQS: (?:AWS\.SimpleQueueService\.)?(\S+).*/, 'refused $1');
  return result.status === 'unsent' && result.mayHaveArrived ? 'lost' : result.status;
}

async function inPython(python: string, all: readonly AnswerCase[]): Promise<Verdict[]> {
  const lines = all.map((each) =>
    JSON.stringify({
      endpoint: server.endpointOf(each),
      queueUrl: server.queueFor(each),
      updates: updatesOf(each),
      readTimeout: timeoutOf(each) / 1_000,
    }),
  );
  const { stdout, stderr } = await runPython(
    python,
    [join(root, 'testing/contract/answered.py')],
    lines.join('\n'),
    {
      PYTHONPATH: join(root, 'producers/python/src'),
      AWS_CA_BUNDLE: certificatePath,
      AWS_DEFAULT_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
    },
  );
  expect(stderr).toBe('');
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Verdict);
}

/** The cases of which two say something else. */
function disagreements(
  all: readonly AnswerCase[],
  these: readonly object[],
  those: readonly object[],
): object[] {
  expect(these.length).toBe(those.length);
  return all
    .map((each, i) => ({ ...each, this: these[i], that: those[i] }))
    .filter((each) => !isDeepStrictEqual(each.this, each.that));
}

describe('of each answer in the table', () => {
  const withoutWaits = (verdicts: readonly Verdict[]): object[] =>
    verdicts.map(({ waits: _, ...rest }) => rest);
  const expected = cases.map(({ says }) => says);

  test('the package for Node says what the table says', async () => {
    expect(disagreements(cases, withoutWaits(await inNode(cases)), expected)).toEqual([]);
  });

  test.skipIf(pythons.length === 0).each(pythons)('so does the package for Python, on %s', async (python) => {
    expect(disagreements(cases, withoutWaits(await inPython(python, cases)), expected)).toEqual([]);
  });
});

describe.skipIf(pythons.length === 0)('of cases put together at random', () => {
  const random = randomAnswers(allCases() ? 300 : 100, 18);
  let expected: Verdict[];
  beforeAll(async () => {
    expected = await inNode(random);
  });

  test.each(pythons)('the package for Python, on %s, says what the one for Node says', async (python) => {
    expect(disagreements(random, await inPython(python, random), expected)).toEqual([]);
  });
});
