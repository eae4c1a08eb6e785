import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { openFileLedger } from '../../../testing/stages/file-ledger.ts';
import { setJobs } from '../../../testing/stages/jobs-stage.ts';

test('a job is exported once nobody may send it, and goes on in the other ledger', async () => {
  const { stage, folder, run, standing, plan, ids } = await setJobs();
  await plan(ids(8));
  await run(['apply', 'j.jsonl', '--yes', '--detach']);
  const early = await run(['export', 'j', '--out', 'j.job']);
  expect(early).toMatchObject({ exitCode: 2, stdout: '' });
  expect(early.error).toBe(
    'Job j is being sent, or may be at any time. `ota-updater jobs stop j` stops it; then export it. Nothing was written.',
  );
  await run(['stop', 'j']);
  expect(await run(['export', 'j', '--out', 'j.job'])).toMatchObject({
    exitCode: 0,
    stdout:
      'Job j, 8 rows, is in j.job. `ota-updater jobs import j.job` enters it in another ledger, which owns it from then on. ' +
      'It is no longer sent from here; with --take-over that command takes it back.\n',
  });
  expect((await run(['export', 'j', '--out', 'j.job'])).error).toMatch(/j\.job already exists/);
  expect((await run(['export', 'j', '--out', 'j.job', '--force'])).exitCode).toBe(0);

  const env = { STATE_DIR: `${folder.path}/other` };
  const there = `the ledger ${folder.path}/other/ledger.sqlite`;
  expect(await run(['import', 'j.job'], { env })).toMatchObject({
    exitCode: 0,
    stdout: `Job j is in ${there}. \`ota-updater jobs status j\` says where it stands.\n`,
  });
  expect(await run(['import', 'j.job'], { env })).toMatchObject({
    exitCode: 2,
    error: `Job j is in ${there} already. Nothing was changed.`,
  });
  await stage.worker.start();
  const ended = await standing(['resume', 'j'], { env });
  expect(ended).toMatchObject({ exitCode: 0, json: { rows: 8, applied: 8 } });
  expect((await run(['log', 'j'], { env })).stdout).toMatch(/import[\s\S]*begin|begin[\s\S]*import/);
});

test('a job that was moved is steered and sent by nobody in the ledger that it left, and says where it went', async () => {
  const { stage, folder, run, standing, plan, ids } = await setJobs();
  await plan(ids(4));
  await run(['apply', 'j.jsonl', '--yes', '--detach']);
  await run(['stop', 'j']);
  await run(['export', 'j', '--out', 'j.job', '--by', 'ann', '--reason', 'one ledger for all']);
  const file = `${folder.path}/j.job`;
  const refusal = new RegExp(
    `^Job j was moved from here by ann@bench, \\d{4}-.* UTC \\(Moved to ${file}: one ledger for all\\): the ledger that imports this export owns it and sends it\\. ` +
      "If that is not true, or no longer true, `jobs import FILE --take-over` makes it this ledger's; `jobs export` writes a lost file again\\. Nothing was changed\\.$",
  );
  for (const args of [
    ['resume', 'j'],
    ['resume', 'j', '--detach'],
    ['retry', 'j', '--only-failed'],
    ['reconcile', 'j'],
    ['set', 'j', '--rate', '5'],
    ['pause', 'j'],
    ['stop', 'j'],
    ['cancel', 'j', '--yes'],
    ['apply', 'j.jsonl', '--yes'],
    ['undo', 'j'],
  ]) {
    const { exitCode, error } = await run(args);
    expect([args, exitCode, error]).toEqual([args, 2, expect.stringMatching(refusal)]);
  }
  await stage.worker.start();
  expect((await run(['send', '--once'])).exitCode).toBe(0);
  expect(stage.api.stats().calls).toBe(0);
  expect(await standing(['status', 'j'])).toMatchObject({
    json: { state: { name: 'elsewhere', who: 'ann@bench' }, ended: 0 },
  });
  const { stdout } = await run(['status', 'j']);
  expect(stdout).toContain('state: elsewhere: moved to another ledger, since');
  expect(stdout).toContain('now: another ledger owns it');

  expect((await run(['import', 'j.job'])).error).toBe(
    `Job j was moved from the ledger ${folder.path}/state/ledger.sqlite by this export. If no other ledger has imported it, or none sends it any more, ` +
      '`ota-updater jobs import j.job --take-over` takes it back. Nothing was changed.',
  );
  // A copy that the ledger makes which has the job now.
  const env = { STATE_DIR: `${folder.path}/receiver` };
  await run(['import', 'j.job'], { env });
  await run(['export', 'j', '--out', 'copy.job', '--copy'], { env });
  expect((await run(['import', 'copy.job'])).error).toBe(
    `Job j was moved from the ledger ${folder.path}/state/ledger.sqlite, and this file is only a copy of it: ` +
      'the ledger that it was moved to owns it and sends it. Nothing was changed.',
  );
  expect(await run(['import', 'j.job', '--take-over'])).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('belongs to that ledger again'),
  });
  expect(await standing(['resume', 'j'])).toMatchObject({ exitCode: 0, json: { applied: 4 } });
});

test('an export that cannot be written leaves the job where it was', async () => {
  const { run, standing, plan, ids } = await setJobs();
  await plan(ids(2));
  await run(['apply', 'j.jsonl', '--yes', '--detach']);
  await run(['pause', 'j']);
  // Its name is taken for one, and that of its part is too long.
  const { error, exitCode } = await run(['export', 'j', '--out', 'x'.repeat(250)]);
  expect([exitCode, error]).toEqual([1, expect.stringContaining('ENAMETOOLONG')]);
  expect((await run(['log', 'j', '--max', '2'])).stdout).toMatch(/take-over[\s\S]*move/);
  expect(await standing(['status', 'j'])).toMatchObject({ json: { state: { name: 'paused' } } });
});

test('an export that can neither be written nor be undone says so, and is done again', async () => {
  const { folder, run, plan, ids } = await setJobs();
  await plan(ids(2));
  await run(['apply', 'j.jsonl', '--yes', '--detach']);
  await run(['pause', 'j']);
  const db = new DatabaseSync(`${folder.path}/state/ledger.sqlite`);
  db.exec(
    `CREATE TRIGGER stuck BEFORE UPDATE ON jobs WHEN old.state = 'elsewhere' BEGIN SELECT RAISE(ABORT, 'no'); END`,
  );
  const { error, exitCode } = await run(['export', 'j', '--out', 'x'.repeat(250)]);
  expect([exitCode, error]).toEqual([
    1,
    expect.stringMatching(
      /ENAMETOOLONG.* Job j is already marked as elsewhere, and could not be taken back: fix that, then export it again\.$/,
    ),
  ]);
  db.exec('DROP TRIGGER stuck');
  db.close();
  expect((await run(['export', 'j', '--out', 'j.job'])).exitCode).toBe(0);
  expect((await run(['import', 'j.job', '--take-over'])).exitCode).toBe(0);
});

test('a job whose lease another process has is neither exported nor taken back', async () => {
  const { folder, run, standing, plan, ids } = await setJobs();
  await plan(ids(2));
  await run(['apply', 'j.jsonl', '--yes', '--detach']);
  await run(['pause', 'j']);
  const ledger = await openFileLedger(`${folder.path}/state`, Date.now);
  onTestFinished(() => ledger.close());
  const { key } = (await ledger.job('j')) ?? expect.fail();
  const sending = (await ledger.lease(key)) ?? expect.fail();
  expect((await run(['export', 'j', '--out', 'j.job'])).error).toMatch(/^Job j is being sent, or may be/);
  await sending.release();
  await run(['export', 'j', '--out', 'j.job']);
  const pruning = (await ledger.lease(key)) ?? expect.fail();
  const busy = await run(['import', 'j.job', '--take-over']);
  expect([busy.exitCode, busy.error]).toEqual([
    2,
    `Another process is using job j in the ledger ${folder.path}/state/ledger.sqlite, for example to export or prune it. Import the job when that process has ended. Nothing was changed.`,
  ]);
  await pruning.release();
  expect(await standing(['status', 'j'])).toMatchObject({ json: { state: { name: 'elsewhere' } } });
});

test('a copy is a backup: the job goes on here, and the copy is only looked at', async () => {
  const { stage, folder, run, standing, plan, ids } = await setJobs();
  await plan(ids(3));
  await run(['apply', 'j.jsonl', '--yes', '--detach']);
  await run(['pause', 'j']);
  expect((await run(['export', 'j', '--copy', '--out', 'j.copy'])).stdout).toContain(
    'the job continues here',
  );
  const env = { STATE_DIR: `${folder.path}/other` };
  expect((await run(['import', 'j.copy'], { env })).stdout).toContain('as a copy: it is not sent from here');
  const refused = await run(['resume', 'j'], { env });
  expect([refused.exitCode, refused.error]).toEqual([2, expect.stringMatching(/^Job j is a copy here: /)]);
  expect((await run(['export', 'j', '--out', 'k.job'], { env })).error).toMatch(
    /^Job j is only a copy here, so this ledger cannot move it/,
  );
  await stage.worker.start();
  expect(await standing(['resume', 'j'])).toMatchObject({ exitCode: 0, json: { applied: 3 } });
});

test('what is no exported job is refused, and nothing of it is entered', async () => {
  const { folder, run } = await setJobs();
  folder.file('rows.csv', 'Identifier,Description\na,b\n');
  const { exitCode, error } = await run(['import', 'rows.csv']);
  expect(exitCode).toBe(2);
  expect(error).toBe(
    'rows.csv is not an exported job: its first line is not that of one. `jobs export` writes such files.',
  );
  expect((await run(['list', '--json'])).stdout).toBe('');
});
