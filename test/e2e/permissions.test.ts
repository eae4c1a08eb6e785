/** The policies in deploy/iam allow each role exactly the calls that its commands are seen to make here, and no others. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Command } from 'commander';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openBucket } from '../../src/jobs/file-report/s3.ts';
import { loadProgram } from '../../src/program.ts';
import { allowed } from '../../testing/iam/policies.ts';
import { notifySettings, REPORT_PLACE, recordAws } from '../../testing/iam/recording.ts';
import { commandsOf, roles } from '../../testing/iam/roles.ts';
import { openConsole, setCommands } from '../../testing/iam/stage.ts';
import { fakeContext } from '../../testing/stages/context.ts';
import { setStage } from '../../testing/stages/stage.ts';

/** A report in one part, one in several, and one that fails: whatever the ledger holds, S3 is asked for no more. */
async function fileReports(s3Url: string): Promise<void> {
  const bucket = openBucket({ bucket: 'ota-reports', prefix: 'j/' }, { AWS_ENDPOINT_URL_S3: s3Url });
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
}

test('every command of the program has a role, or makes no request', async () => {
  const names: string[] = [];
  const visit = (command: Command, path: string): void => {
    if (command.commands.length === 0) names.push(path);
    for (const each of command.commands) visit(each, `${path} ${each.name()}`.trim());
  };
  visit(await loadProgram(['completion'], fakeContext()), '');
  expect(names.toSorted()).toEqual(Object.keys(roles).toSorted());
});

describe('a role may do what it does', () => {
  test('the worker', async () => {
    const aws = await recordAws({});
    const stage = await setStage({
      outcomes: true,
      sqs: { endpoint: aws.sqs.url },
      wrapApi: (api) => ({
        updateOtaTask: (update, signal) => {
          aws.apiCalls.add('UpdateOtaTask');
          return api.updateOtaTask(update, signal);
        },
        destroy: () => api.destroy(),
      }),
      random: () => 0,
      env: { MAX_ATTEMPTS: '1' },
    });
    onTestFinished(() => stage.strike());
    aws.sqs.upstream = stage.sqsUrl;
    stage.api.script('flaky', [{ status: 500, errorType: 'InternalServerException' }]);
    await stage.send({ Identifier: 'good', Description: 'x' }, 'no JSON', {
      Identifier: 'flaky',
      Description: 'x',
    });
    await stage.worker.start();
    await stage.ended(3);
    await stage.worker.stop();
    expect(aws.needed()).toEqual(allowed('worker'));
  });

  test('an enqueuer: enqueue, jobs and configs', async () => {
    const { stage, aws, cwd, run, ran } = await setCommands(notifySettings);
    const rows = join(cwd, 'rows.csv');
    const plan = (name: string): string => join(cwd, `${name}.jsonl`);
    writeFileSync(rows, 'Identifier,TaskConfigurationId\ntask1,new\n');
    await stage.worker.start();
    await run(['enqueue', rows]);
    await run(['jobs', 'plan', rows, '--refresh', '--job', 'j', '--out', plan('j')]);
    await stage.ended(1);
    const live = ['jobs', 'plan', '--from-tasks', '--refresh', '--set', 'Description=x', '--job', 'k'];
    await run([...live, '--out', plan('k')]);
    await run(['jobs', 'apply', plan('k'), '--yes', '--report-to', REPORT_PLACE]);
    for (const command of ['status', 'report', 'reconcile', 'log']) await run(['jobs', command, 'k']);
    await run(['jobs', 'list']);
    await run(['jobs', 'verify', 'k', '--executions']);
    await run(['jobs', 'export', 'k', '--copy', '--out', join(cwd, 'k.job')]);
    await run(['jobs', 'import', join(cwd, 'k.job')], { env: { STATE_DIR: join(cwd, 'other') } });
    await run(['jobs', 'undo', 'k', '--out', plan('undo'), '--job', 'undo']);
    await run(['jobs', 'apply', plan('undo'), '--yes', '--detach']);
    const why = ['undo', '--reason', 'x'];
    await run(['jobs', 'pause', ...why]);
    await run(['jobs', 'set', '--rate', '50', ...why]);
    await run(['jobs', 'stop', ...why]);
    await run(['jobs', 'resume', '--detach', ...why]);
    await run(['jobs', 'send', '--once']);
    await run(['jobs', 'retry', 'undo', '--only-failed']);
    await run(['jobs', 'plan', rows, '--set', 'Description=y', '--job', 'm', '--out', plan('m')]);
    await run(['jobs', 'apply', plan('m'), '--yes', '--detach']);
    await run(['jobs', 'cancel', 'm', '--yes', '--reason', 'x']);
    await run(['jobs', 'prune', '--older-than', '90d', '--yes']);
    await run(['configs', 'list']);
    await run(['configs', 'show', 'cfgA0']);
    await run(['configs', 'diff', 'cfgA0', 'cfgA1']);
    await run(['configs', 'create', '--from', 'cfgA0', '--set', 'MaximumPerMinute=7']);
    await fileReports(aws.s3Url);
    expect(ran()).toEqual(commandsOf('enqueuer'));
    expect(aws.needed()).toEqual(allowed('enqueuer'));
  });

  test('an operator: check, dead-letters, status and trace', async () => {
    const { stage, aws, cwd, run, ran } = await setCommands();
    const body = '{"Identifier":"task1","Description":"x"}';
    await stage.dead.send([{ key: 'a', body }]);
    const reason = ['--all', '--yes', '--reason', 'x'];
    await run(['check']);
    await run(['status', '--dead-letters'], { codes: [0, 1] });
    await run(['trace', 'task1']);
    await run(['dead-letters', 'list']);
    await run(['dead-letters', 'show', 'task1']);
    await run(['dead-letters', 'export', '--out', join(cwd, 'letters.jsonl')]);
    await run(['dead-letters', 'redrive', ...reason]);
    await stage.dead.send([{ key: 'a', body }]);
    await run(['dead-letters', 'purge', ...reason]);
    expect(ran()).toEqual(commandsOf('operator'));
    expect(aws.needed()).toEqual(allowed('operator'));
  });

  test('the console', async () => {
    const { stage, aws, cwd, run, env } = await setCommands(notifySettings);
    const body = '{"Identifier":"task1","Description":"x"}';
    await stage.worker.start();
    await stage.dead.send([
      { key: 'a', body },
      { key: 'b', body: '{' },
    ]);
    // The job of somebody who has the ledger, left to the console.
    const rows = join(cwd, 'rows.csv');
    writeFileSync(rows, 'Identifier,TaskConfigurationId\ntask2,new\n');
    const plan = join(cwd, 'j.jsonl');
    const theirs = { env: stage.environment({ STATE_DIR: cwd }) };
    await run(['jobs', 'plan', rows, '--job', 'j', '--out', plan, '--no-look'], theirs);
    await run(['jobs', 'apply', plan, '--yes', '--detach', '--report-to', REPORT_PLACE], theirs);
    const console = await openConsole(env, cwd);
    await console.jobDone('j');
    await console.look();
    await console.changeLetters('purge');
    await console.changeLetters('redrive');
    await console.planLive('k');
    await console.apply('k');
    await console.jobDone('k');
    await console.verify('k');
    await console.planUndo('k', 'k-undo');
    await console.see('/task?identifier=task1');
    await console.see('/api/v1/status');
    await console.end();
    await fileReports(aws.s3Url);
    expect(aws.needed()).toEqual(allowed('console'));
  });
});
