import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { addPlan } from '../../../src/jobs/commands/plan.ts';
import type { SimulatedApi } from '../../../src/sandbox/simulated-api/index.ts';
import { startApi } from '../../../testing/stages/api.ts';
import { openFileLedger } from '../../../testing/stages/file-ledger.ts';
import { JobsFolder, type JobsRun, useApi } from '../../../testing/stages/jobs.ts';
import { leaseOf, newJob } from '../ledger/contract.ts';

const header = 'Identifier,Description\n';

/** The first cells of each. */
const refusedRows = (text: string): string[][] => parse(text).map((cells) => cells.slice(0, 4));

function folder() {
  const jobs = new JobsFolder();
  return {
    jobs,
    plan: (args: readonly string[], run?: JobsRun) => jobs.run(addPlan, ['plan', ...args], run),
    json: async (args: readonly string[], run?: JobsRun) => {
      const result = await jobs.run(addPlan, ['plan', ...args, '--json'], run);
      return { ...result, summary: JSON.parse(result.stdout) as Record<string, unknown> };
    },
  };
}

describe('jobs plan FILE', () => {
  test('writes the rows to change, and the refused ones beside the file', async () => {
    const { jobs, plan } = folder();
    const file = jobs.file('tasks.csv', `${header}a1,x\nb-2,y\nc3,z\nd4\na1,later\n`);
    const { exitCode, stdout, stderr } = await plan([file, '--job', 'fleet-b7']);
    expect(exitCode).toBe(3);
    expect(stderr).toBe('');
    const { header: first, footer, all, leftOut } = await jobs.plan('fleet-b7.plan.jsonl');
    expect(first).toEqual({
      Plan: 3,
      JobId: 'fleet-b7',
      CreatedAt: '2026-11-25T07:00:00.000Z',
      Source: 'tasks.csv',
    });
    expect(all).toEqual([
      { Row: 3, Identifier: 'c3', Description: 'z' },
      { Row: 5, Identifier: 'a1', Description: 'later' },
    ]);
    const invalid = 'Identifier: may hold only letters and digits; character 2 is "-"';
    expect(leftOut).toEqual([
      {
        Row: 1,
        LeftOut: 'duplicate',
        Identifier: 'a1',
        Description: 'x',
        Reason: 'line 6 names the same task and counts instead',
      },
      { Row: 2, LeftOut: 'refused', Identifier: 'b-2', Description: 'y', Reason: invalid },
      { Row: 4, LeftOut: 'refused', Reason: 'has 1 cell, the header has 2 columns' },
    ]);
    expect(footer.Counts).toEqual({ toChange: 2, alreadyAsWanted: 0, refused: 2, duplicates: 1 });
    expect(refusedRows(jobs.read('tasks.csv.refused.csv'))).toEqual([
      ['line', 'reason', 'row', 'Identifier'],
      ['3', invalid, 'b-2,y', 'b-2'],
      ['5', 'has 1 cell, the header has 2 columns', 'd4', ''],
    ]);
    expect(jobs.files()).toEqual(['fleet-b7.plan.jsonl', 'tasks.csv', 'tasks.csv.refused.csv']);
    expect(stdout).toContain('tasks.csv: 5 rows read\n');
    expect(stdout).toMatch(/^ {2}to change +2 {2}in fleet-b7.plan.jsonl$/m);
    expect(stdout).toMatch(
      /^ +1 {2}Identifier: may hold only letters and digits; character 2 is "-"\n {15}\(line 3\)$/m,
    );
    expect(stdout).toMatch(/^ {2}duplicates +1 {2}of one Identifier: the last row of each counts, whole$/m);
    expect(stdout).toMatch(/^next: ota-updater jobs apply fleet-b7.plan.jsonl$/m);
  });

  test('and its refused rows need two files, also where the plan may be replaced', async () => {
    const { jobs, plan } = folder();
    const name = jobs.file('tasks.csv', `${header}a1,x\n!,x\n`);
    for (const force of [[], ['--force']])
      expect(await plan([name, '--out', 'both', '--refused', './both', ...force])).toMatchObject({
        exitCode: 2,
        error: expect.stringContaining('--out and --refused both name both: name two files.'),
      });
    expect(jobs.files()).toEqual(['tasks.csv']);
  });

  test('makes up a name for the job when none is given', async () => {
    const { jobs, plan } = folder();
    expect((await plan([jobs.file('tasks.csv', `${header}a1,x\n`)])).exitCode).toBe(0);
    expect(jobs.files()).toContain('2026-11-25-aaaaaa.plan.jsonl');
  });

  test('reads JSON Lines from stdin and sets fields on every row', async () => {
    const { jobs, plan } = folder();
    const stdin = '{"Identifier":"a1","Description":"x"}\n{"Identifier":"b2"}\n';
    await plan(['-', '--set', 'TaskConfigurationId=cfgB7', '--out', 'it.jsonl'], { stdin });
    expect((await jobs.plan('it.jsonl')).all).toEqual([
      { Row: 1, Identifier: 'a1', Description: 'x', TaskConfigurationId: 'cfgB7' },
      { Row: 2, Identifier: 'b2', TaskConfigurationId: 'cfgB7' },
    ]);
  });

  test('says how long it will take and by whose rate, that it cannot be undone, and what check finds', async () => {
    const { jobs, plan } = folder();
    const rows = Array.from({ length: 130 }, (_, i) => `a${i},x\n`).join('');
    const env = { RATE_LIMIT: '2' };
    const { stdout } = await plan([jobs.file('tasks.csv', header + rows)], { env });
    expect(stdout).toMatch(/^ {2}time +about 1m 5s if RATE_LIMIT is 2 for the workers as it is here$/m);
    expect(stdout).toMatch(/^ {2}undo +not possible: .* plan with\n +--refresh to read them$/m);
    const STATE_DIR = join(jobs.path, 'state');
    expect(existsSync(STATE_DIR)).toBe(false);
    const ledger = await openFileLedger(STATE_DIR, Date.now);
    const { key } = await ledger.begin(newJob);
    const lease = await leaseOf(ledger, key);
    await lease.noteRun({ startedAt: 0, ms: 10_000, rows: 260 });
    await ledger.close();
    const measured = await plan(['tasks.csv', '--job', 'k'], { env: { ...env, STATE_DIR } });
    expect(measured.stdout).toMatch(/^ {2}time +about 5s at 26 rows\/s, as measured in job j$/m);
    expect(stdout).toMatch(/^warning: check: QUEUE_URL: is required$/m);
  });

  test('says which fields of the file a job does not use', async () => {
    const { jobs, json } = folder();
    const file = jobs.file('tasks.csv', 'Identifier,Description,RequestId\na1,x,r1\nb2,y,r2\n');
    const { summary } = await json([file]);
    expect(summary.warnings).toContainEqual('RequestId in tasks.csv is not used: a job gives its own');
  });

  test('leaves a plan alone that is there, unless it is told to replace it', async () => {
    const { jobs, plan } = folder();
    const file = jobs.file('tasks.csv', `${header}a1,x\n`);
    // Not all that begins with a word of a plan is one.
    const mine = '{"Plan":3,"Customer":"of the operator"}\n';
    jobs.file('j.plan.jsonl', mine);
    const { exitCode, error } = await plan([file, '--job', 'j']);
    expect({ exitCode, error }).toEqual({ exitCode: 2, error: expect.stringContaining('--force') });
    const forced = () => plan([file, '--job', 'j', '--force']);
    expect((await forced()).error).toContain('--force replaces only a plan that ota-updater wrote');
    expect(jobs.read('j.plan.jsonl')).toBe(mine);
    rmSync(join(jobs.path, 'j.plan.jsonl'));
    expect((await plan([file, '--job', 'j', '--set', 'Description=other'])).exitCode).toBe(0);
    expect((await forced()).exitCode).toBe(0);
    expect((await jobs.plan('j.plan.jsonl')).all).toEqual([expect.objectContaining({ Description: 'x' })]);
  });

  test('writes no plan when every row is refused', async () => {
    const { jobs, json } = folder();
    const { exitCode, summary } = await json([jobs.file('tasks.csv', `${header}!,x\n`)]);
    expect(exitCode).toBe(3);
    expect(summary).toMatchObject({ plan: null, toChange: 0, refused: 1 });
    expect(jobs.files()).toEqual(['tasks.csv', 'tasks.csv.refused.csv']);
  });

  test('leaves no earlier plan that passes for the new one when there is nothing to change', async () => {
    const { jobs, plan, json } = folder();
    const out = ['--out', 'p', '--job', 'j'];
    await plan([jobs.file('good.csv', `${header}a1,x\n`), ...out]);
    const bad = jobs.file('bad.csv', `${header}!,x\n`);
    expect((await plan([bad, ...out])).exitCode).toBe(2);
    expect(jobs.files()).toContain('p');
    expect((await json([bad, ...out, '--force'])).summary).toMatchObject({ plan: null, removed: 'p' });
    expect(jobs.files()).not.toContain('p');
    await plan([jobs.file('good.csv', `${header}a1,x\n`), ...out]);
    expect((await plan([bad, ...out, '--force'])).stdout).toMatch(
      /^removed: the earlier plan p, which could be mistaken for this one/m,
    );
  });

  test('leaves nothing behind when it is interrupted', async () => {
    const { jobs, plan } = folder();
    const file = jobs.file('tasks.csv', `${header}!,x\n${'a1,x\n'.repeat(60_000)}`);
    const { exitCode, error } = await plan([file], { interrupt: Promise.resolve() });
    expect({ exitCode, error }).toEqual({ exitCode: 130, error: 'Interrupted. Nothing was written.' });
    expect(jobs.files()).toEqual(['tasks.csv']);
  });

  test("keeps to 80 columns, and warns of nothing that is the SDK's alone", async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    onTestFinished(() => warn.mockRestore());
    useApi();
    const { jobs, plan } = folder();
    const queue = (name: string) => `http://127.0.0.1:9/000000000000/${name}`;
    const env = { QUEUE_URL: queue('updates'), DEAD_LETTER_QUEUE_URL: queue('dead') };
    const file = jobs.file('tasks.csv', 'Identifier,Description,IssuedAt\nb-2,y,yesterday\n');
    const { stdout } = await plan([file], { env });
    expect(stdout).toContain('warning: check: ');
    expect(stdout).toMatch(/^ +1 {2}Identifier: .*(?:\n {15}\S.*)+\(line 2\)$/m);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(warn).not.toHaveBeenCalled();
  });

  test('warns of an outcome queue that is not set, which sending the job needs', async () => {
    useApi();
    const { jobs, plan } = folder();
    const queue = (name: string) => `http://127.0.0.1:9/000000000000/${name}`;
    const env = { QUEUE_URL: queue('updates'), DEAD_LETTER_QUEUE_URL: queue('dead') };
    const file = jobs.file('tasks.csv', `${header}a1,x\n`);
    const without = await plan([file], { env });
    expect(without.stdout).toMatch(/^warning: check: OUTCOME_QUEUE_URL is not set; /m);
    const outcomes = { ...env, OUTCOME_QUEUE_URL: queue('outcomes') };
    const given = await plan([file, '--force'], { env: outcomes });
    expect(given.stdout).not.toContain('OUTCOME_QUEUE_URL is not set');
  });

  test('prints nothing from the file that could control a terminal', async () => {
    const { jobs, plan } = folder();
    const file = jobs.file('tasks.jsonl', '{"\u001b]0;owned\u0007":1}\n\u001b[2J\u202E\n');
    const { stdout } = await plan([file]);
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(stdout).toContain('\\u{1b}');
  });

  test('prints one JSON object with --json', async () => {
    const { jobs, json } = folder();
    const file = jobs.file('tasks.csv', `${header}a1,x\na1,y\n!,z\n`);
    const { summary } = await json([file, '--job', 'j'], { env: { RATE_LIMIT: '10' } });
    expect(summary).toEqual({
      jobId: 'j',
      plan: 'j.plan.jsonl',
      removed: null,
      source: 'tasks.csv',
      form: null,
      rows: 3,
      leftOut: 0,
      toChange: 1,
      alreadyAsWanted: 0,
      refused: 1,
      duplicates: 1,
      duplicateIdentifiers: 1,
      unread: 0,
      refreshed: false,
      refusedFile: 'tasks.csv.refused.csv',
      reasons: [
        { reason: expect.stringContaining('letters and digits; it begins with "!"'), count: 1, lines: [4] },
      ],
      configurations: [],
      otherConfigurations: 0,
      configurationsLookedAt: null,
      statuses: [],
      measuredRate: null,
      undoable: 0,
      rateLimit: 10,
      seconds: 1,
      warnings: expect.arrayContaining(['check: QUEUE_URL: is required']),
    });
  });
});

async function startWith(count: number): Promise<SimulatedApi> {
  const api = await startApi({ settings: { tasks: { kind: 'numbered', prefix: 'task', count } } });
  useApi(api);
  return api;
}

const all = (api: SimulatedApi, count: number) =>
  Array.from({ length: count }, (_, i) => api.task(`task${i + 1}`)).filter((task) => task !== undefined);

describe('jobs plan --from-tasks', () => {
  test('plans for the live tasks that meet the conditions, page by page', async () => {
    const { jobs, plan } = folder();
    const api = await startWith(2_300);
    const conditions = ['--where', 'Status=SCHEDULED', '--where', 'TaskConfigurationId=cfgA4'];
    const set = ['--set', 'TaskConfigurationId=cfgB7'];
    const { exitCode, stdout } = await plan(['--from-tasks', ...conditions, ...set, '--job', 'j']);
    expect(exitCode).toBe(0);
    const { header: first, all: rows } = await jobs.plan('j.plan.jsonl');
    const wanted = all(api, 2_300).filter(
      (task) => task.Status === 'SCHEDULED' && task.TaskConfigurationId === 'cfgA4',
    );
    expect(wanted.length).toBeGreaterThan(10);
    expect(rows).toEqual(
      wanted.map(({ TaskId }, i) => ({
        Row: i + 1,
        Identifier: TaskId,
        TaskConfigurationId: 'cfgB7',
        Former: { TaskConfigurationId: 'cfgA4' },
      })),
    );
    expect(first.Source).toBe('live tasks where Status=SCHEDULED and TaskConfigurationId=cfgA4');
    expect(stdout).toMatch(/^live tasks where Status=SCHEDULED.*: 2,300 tasks listed$/m);
    // Three pages of the list, and the two configurations.
    expect(api.stats()).toMatchObject({ reads: { calls: 5 } });
  });

  test('takes either value of a field that is named twice, and leaves out what is so already', async () => {
    const { json } = folder();
    const api = await startWith(300);
    const conditions = ['--where', 'TaskConfigurationId=cfgA4', '--where', 'TaskConfigurationId=cfgA5'];
    const { summary } = await json(['--from-tasks', ...conditions, '--set', 'TaskConfigurationId=cfgA5']);
    const count = (id: string): number =>
      all(api, 300).filter((task) => task.TaskConfigurationId === id).length;
    expect(summary).toMatchObject({ toChange: count('cfgA4'), alreadyAsWanted: count('cfgA5'), rows: 300 });
  });

  test('writes no plan when no task meets the conditions', async () => {
    const { jobs, plan } = folder();
    await startWith(10);
    const args = ['--from-tasks', '--where', 'TaskId=nobody', '--set', 'Description=x'];
    const { exitCode, stdout } = await plan(args);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^next: nothing: no task meets the conditions$/m);
    expect(jobs.files()).toEqual([]);
  });

  test.each([
    [
      'denied' as const,
      { denied: 'all' as const },
      /ListOtaTasks is denied: .*iotmanagedintegrations:ListOtaTasks/,
    ],
    ['expired' as const, { expiredCredentials: true }, /AWS does not accept the credentials/],
    ['down' as const, { down: true }, /the API answered ListOtaTasks with 500/],
  ])('fails with the reason and writes nothing when the API is %s', async (_what, settings, message) => {
    const { jobs, plan } = folder();
    const api = await startWith(10);
    api.configure(settings);
    const { exitCode, error } = await plan(['--from-tasks', '--set', 'Description=x']);
    expect({ exitCode, error }).toEqual({ exitCode: 1, error: expect.stringMatching(message) });
    expect(jobs.files()).toEqual([]);
  });
});

describe('jobs plan --refresh', () => {
  test('takes the bar away before it says on a terminal what reading costs', async () => {
    useApi(await startApi());
    const { jobs, plan } = folder();
    const file = jobs.file('tasks.csv', `${header}a1,x\n`);
    const { stderr } = await plan([file, '--refresh'], { terminal: true });
    expect(stderr).toContain('\u001b[1A\u001b[0Jrefresh: 1 call of GetOtaTask\n');
  });

  test('says its cost first, then reads every task for what is so already and for what was before', async () => {
    const { jobs, json } = folder();
    const api = await startWith(40);
    api.configure({ denied: ['task3'] });
    const before = api.task('task1');
    const rows = ['task1,new', 'task2,Simulated task task2', 'task3,new', 'unknown,new'].join('\n');
    const file = jobs.file('tasks.csv', `${header}${rows}\n`);
    const { exitCode, stderr, summary } = await json([file, '--refresh', '--job', 'j']);
    expect(exitCode).toBe(3);
    expect(stderr).toBe('refresh: 4 calls of GetOtaTask\n');
    expect(summary).toMatchObject({ toChange: 2, alreadyAsWanted: 1, refused: 1, unread: 1 });
    const { all, leftOut } = await jobs.plan('j.plan.jsonl');
    expect(all).toEqual([
      { Row: 1, Identifier: 'task1', Description: 'new', Former: { Description: before?.Description } },
      { Row: 3, Identifier: 'task3', Description: 'new' },
    ]);
    expect(leftOut).toEqual([
      { Row: 2, LeftOut: 'as-wanted', Identifier: 'task2', Description: 'Simulated task task2' },
      {
        Row: 4,
        LeftOut: 'refused',
        Identifier: 'unknown',
        Description: 'new',
        Reason: 'there is no such task (404)',
      },
    ]);
    expect(refusedRows(jobs.read('tasks.csv.refused.csv'))).toContainEqual([
      '5',
      'there is no such task (404)',
      '{"Identifier":"unknown","Description":"new"}',
      'unknown',
    ]);
  });

  test('waits out throttling', async () => {
    const { jobs, json } = folder();
    const api = await startWith(50);
    api.configure({ limit: { ratePerSecond: 200, burst: 5 }, limitReads: true });
    const rows = Array.from({ length: 50 }, (_, i) => `task${i + 1},new\n`).join('');
    const { exitCode, summary } = await json([jobs.file('tasks.csv', header + rows), '--refresh']);
    expect(exitCode).toBe(0);
    expect(summary).toMatchObject({ toChange: 50, unread: 0 });
  });

  test('gives up, and writes nothing, when no task can be read', async () => {
    const { jobs, plan } = folder();
    const api = await startWith(50);
    api.configure({ denied: 'all' });
    const rows = Array.from({ length: 50 }, (_, i) => `task${i + 1},new\n`).join('');
    const { exitCode, error } = await plan([jobs.file('tasks.csv', header + rows), '--refresh']);
    expect(exitCode).toBe(1);
    expect(error).toMatch(/^20 tasks in a row could not be read: GetOtaTask is denied: .*\.$/);
    expect(jobs.files()).toEqual(['tasks.csv']);
  });

  test('leaves nothing behind when it is interrupted', async () => {
    const { jobs, plan } = folder();
    const api = await startWith(5_000);
    api.configure({ latency: { minMs: 20, maxMs: 20 } });
    const args = ['--from-tasks', '--set', 'Description=new', '--refresh'];
    const interrupt = api.waitFor(() => api.stats().reads.calls > 20);
    const { exitCode } = await plan(args, { interrupt });
    expect(exitCode).toBe(130);
    expect(api.stats().reads.calls).toBeLessThan(1_000);
    expect(jobs.files()).toEqual([]);
  });
});

test.each<[string, string[], string]>([
  ['neither file nor tasks', [], 'Give a file of updates, - for stdin, or --from-tasks.'],
  ['file and tasks', ['a.csv', '--from-tasks', '--set', 'Description=x'], 'leave a.csv out'],
  [
    'a condition on a column that the file does not have',
    ['a.csv', '--where', 'Descripton=x'],
    '--where Descripton=x: a.csv has no column "Descripton". Did you mean "Description"? Its columns are "Identifier", "Description".',
  ],
  ['tasks without a change', ['--from-tasks'], 'say what to change'],
  [
    'an unknown field to choose by',
    ['--from-tasks', '--set', 'Description=x', '--where', 'status=SCHEDULED'],
    '--where: unknown field "status". Did you mean "Status"? The fields are Status, TaskConfigurationId, TaskId.',
  ],
  ['an unknown field to set', ['a.csv', '--set', 'JobId=x'], '--set: unknown field "JobId". The fields are'],
  ['a value to set that is not valid', ['a.csv', '--set', 'Description=x!'], 'Description: may hold only'],
  ['a bad name for the job', ['a.csv', '--job', 'a b'], '--job a b: may hold'],
  ['an unknown format', ['a.csv', '--format', 'xls'], 'the formats are csv, json and jsonl'],
  ['a missing file', ['nowhere.csv'], 'There is no file nowhere.csv.'],
])('jobs plan refuses %s', async (_what, args, message) => {
  const { jobs, plan } = folder();
  jobs.file('a.csv', `${header}a1,x\n`);
  const { exitCode, error } = await plan(args);
  expect({ exitCode, error }).toEqual({ exitCode: 2, error: expect.stringContaining(message) });
  expect(jobs.files()).toEqual(['a.csv']);
});
