/** Every command of jobs that opens the ledger, and a ledger that cannot be used. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { configureEnqueue } from '../../../src/enqueue/command.ts';
import { configureJobs } from '../../../src/jobs/commands/index.ts';
import { PLAN_FORM } from '../../../src/jobs/plan/format.ts';
import { fakeContext, runConfigured } from '../../../testing/stages/context.ts';
import { openFileLedger } from '../../../testing/stages/file-ledger.ts';
import { JobsFolder, useApi } from '../../../testing/stages/jobs.ts';
import { newJob } from '../ledger/contract.ts';

const readers = [['list'], ['status'], ['status', 'j'], ['report', 'j'], ['undo', 'j']];
const writers = [
  ['apply', 'p', '--yes'],
  ['resume', 'j'],
  ['retry', 'j', '--only-failed'],
  ['reconcile', 'j'],
];
const commands = [...readers, ...writers];

function folderOfJobs() {
  useApi();
  const folder = new JobsFolder();
  // The beginning of a plan: the ledger is opened before the rest is read.
  folder.file('p', `${JSON.stringify({ Plan: PLAN_FORM })}\n`);
  const env = {
    AWS_REGION: 'eu-west-1',
    STATE_DIR: join(folder.path, 'state'),
    QUEUE_URL: 'http://127.0.0.1:1/0/updates',
    OUTCOME_QUEUE_URL: 'http://127.0.0.1:1/0/outcomes',
  };
  const run = (args: readonly string[]) =>
    args[0] === 'enqueue'
      ? runConfigured(configureEnqueue, 'enqueue', args.slice(1), fakeContext({ env, cwd: folder.path }))
      : folder.run(configureJobs, args, { env });
  return { folder, file: join(env.STATE_DIR, 'ledger.sqlite'), stateDir: env.STATE_DIR, run };
}

function change(file: string, sql: string): void {
  const db = new DatabaseSync(file);
  db.exec(sql);
  db.close();
}

test.each<[string, (file: string) => void, RegExp, number?]>([
  [
    'not a database',
    (file) => writeFileSync(file, 'Row,Identifier\n'.repeat(100)),
    /^The ledger \S+ledger\.sqlite is not an SQLite database .* It was not changed\. Restore a copy of it, or move it away: /,
  ],
  [
    'of a newer schema',
    (file) => change(file, 'PRAGMA user_version = 99'),
    /^The ledger \S+ledger\.sqlite is from a later version of this program: its schema is 99, and this version knows only \d+\. Use the later version\./,
    2,
  ],
  [
    'without its tables',
    (file) => change(file, 'DROP TABLE jobs; DROP TABLE rows'),
    /^The ledger \S+ledger\.sqlite is incomplete \(no such table: (jobs|rows|main\.\w+)\)\. Restore a copy/,
  ],
  [
    'malformed',
    // All but the header of the file.
    (file) => writeFileSync(file, readFileSync(file).fill(0xff, 100)),
    /^The ledger \S+ledger\.sqlite is damaged \(database disk image is malformed\)\. Restore/,
  ],
])(
  'of a ledger that is %s, every command says so in one sentence and ends at once',
  async (_what, spoil, sentence, code = 1) => {
    const { file, stateDir, run } = folderOfJobs();
    const ledger = await openFileLedger(stateDir, Date.now);
    const { key } = await ledger.begin(newJob);
    await ledger.enter(key, [{ Row: 1, Identifier: 't1', Description: 'new' }]);
    await ledger.close();
    spoil(file);
    const before = readFileSync(file);
    for (const args of [...commands, ['enqueue', 'p', '--job', 'j']]) {
      const { exitCode, error, stdout } = await run(args);
      expect({ args, exitCode, error, stdout }).toEqual({
        args,
        exitCode: code,
        error: expect.stringMatching(sentence),
        stdout: '',
      });
    }
    expect(readFileSync(file).equals(before)).toBe(true);
  },
);

test('a command that does not begin jobs makes no ledger, and says which one it looked for', async () => {
  const { folder, file, run } = folderOfJobs();
  const sentence = `There is no job: the ledger ${file} does not exist yet. \`ota-updater jobs plan\` makes a plan, \`jobs apply\` starts its job. STATE_DIR says where the ledger is.`;
  const { exitCode, stderr } = await run(['list']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: `${sentence}\n` });
  for (const args of commands.filter(([name]) => name !== 'list' && name !== 'apply'))
    expect({ args, ...(await run(args)) }).toMatchObject({ args, exitCode: 2, error: sentence });
  expect(folder.files()).toEqual(['p']);
});

test('a job that is not there: which ledger was read, and which job is near', async () => {
  const { file, stateDir, run } = folderOfJobs();
  const ledger = await openFileLedger(stateDir, Date.now);
  for (const jobId of ['new', 'other']) await ledger.begin({ ...newJob, jobId });
  await ledger.close();
  for (const [name = '', , ...flags] of readers.filter(([, job]) => job === 'j')) {
    const { exitCode, error } = await run([name, 'nw', ...flags]);
    expect({ name, exitCode, error }).toEqual({
      name,
      exitCode: 2,
      error: `There is no job nw in the ledger ${file}. Did you mean "new"?`,
    });
  }
});
