/** Credentials that a remote side quotes appear nowhere: not on a terminal, in no log and in no file. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { type SqsProxy, sqsError, startSqsProxy } from '../../testing/sqs/proxy.ts';
import { useApi } from '../../testing/stages/jobs.ts';
import { runInProcess } from '../../testing/stages/letters.ts';
import { type Stage, setStage } from '../../testing/stages/stage.ts';

const token = `IQoJb3JpZ2luX2VjE${'Xq7Zk9aB3'.repeat(40)}`;
const quoting = `The request signature we calculated does not match the signature you provided. The Canonical String for this request should have been 'POST\n/\n\nx-amz-security-token:${token}\n\nhost'`;

let stage: Stage;
let proxy: SqsProxy;
let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'secrets-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  proxy = await startSqsProxy();
  onTestFinished(() => proxy.close());
});
afterEach(() => stage.strike());

const files = (): string =>
  readdirSync(folder)
    .map((name) => readFileSync(join(folder, name)).toString('latin1'))
    .join('');

test('no command shows or keeps the session token that SQS quotes, whole requests and entries alike', async () => {
  stage = await setStage({ outcomes: true });
  useApi(stage.api);
  const env = stage.environment({
    STATE_DIR: folder,
    QUEUE_URL: `${proxy.url}/000000000000/updates`,
    DEAD_LETTER_QUEUE_URL: `${proxy.url}/000000000000/dead`,
    OUTCOME_QUEUE_URL: `${proxy.url}/000000000000/outcomes`,
    AWS_ENDPOINT_URL_SQS: undefined,
  });
  proxy.upstream = stage.sqsUrl;
  const rows = join(folder, 'rows.csv');
  const plan = join(folder, 'j.jsonl');
  writeFileSync(rows, 'Identifier,TaskConfigurationId\ntask1,new\n');
  await stage.dead.send([{ key: 'a', body: '{"Identifier":"task1","Description":"x"}' }]);
  const run = (...args: readonly string[]) => runInProcess(args, { env });
  expect(await run('jobs', 'plan', rows, '--job', 'j', '--out', plan)).toMatchObject({ exitCode: 0 });
  const wrong = sqsError(403, 'InvalidSignatureException', quoting);
  const entry = { Id: '0', Code: 'InvalidMessageContents', Message: quoting, SenderFault: true };
  const reason = ['--all', '--yes', '--reason', 'x'];
  const sending = [
    ['enqueue', rows],
    ['dead-letters', 'redrive', ...reason],
    ['jobs', 'apply', plan, '--yes'],
  ];
  const reading = [
    ['check'],
    ['check', '--json'],
    ['dead-letters', 'list'],
    ['dead-letters', 'purge', ...reason],
  ];
  const shown = async (args: readonly string[], quotes: RegExp): Promise<void> => {
    const { both } = await run(...args);
    expect(both, args.join(' ')).toMatch(quotes);
    expect(both, args.join(' ')).not.toContain('Xq7Zk9aB3');
  };
  proxy.rule = () => wrong;
  for (const args of [...reading, ...sending]) await shown(args, /InvalidSignatureException/);
  proxy.rule = ({ action }, forward) =>
    action === 'SendMessageBatch' ? { status: 200, output: { Successful: [], Failed: [entry] } } : forward();
  for (const args of sending) await shown(args, /InvalidMessageContents|RefusedBySqs/);
  expect(files()).not.toContain('Xq7Zk9aB3');
});
