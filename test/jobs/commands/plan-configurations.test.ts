import { describe, expect, test } from 'vitest';
import { addPlan } from '../../../src/jobs/commands/plan.ts';
import type { SimulatedApiSettingsInput } from '../../../src/sandbox/simulated-api/index.ts';
import { allCases } from '../../../testing/cases.ts';
import { startApi } from '../../../testing/stages/api.ts';
import { JobsFolder, type JobsRun, useApi } from '../../../testing/stages/jobs.ts';

const header = 'Identifier,TaskConfigurationId\n';

/** `count` rows that set `id`, for task1 and so on. */
const rows = (count: number, id = 'cfgB7'): string =>
  Array.from({ length: count }, (_, i) => `task${i + 1},${id}\n`).join('');

interface Summary {
  readonly configurations: readonly {
    readonly from: string | null;
    readonly to: string;
    readonly rows: number;
    readonly leftOut: boolean;
    readonly settings: readonly { readonly setting: string }[] | null;
  }[];
  readonly warnings: readonly string[];
  readonly [name: string]: unknown;
}

async function stage(settings: SimulatedApiSettingsInput = {}) {
  const api = await startApi({ settings });
  useApi(api);
  const jobs = new JobsFolder();
  const plan = (args: readonly string[], run?: JobsRun) => jobs.run(addPlan, ['plan', ...args], run);
  const json = async (args: readonly string[], run?: JobsRun) => {
    const result = await plan([...args, '--json'], run);
    return { ...result, summary: JSON.parse(result.stdout) as Summary };
  };
  return { api, jobs, plan, json };
}

const ROWS = allCases() ? 50_000 : 5_000;
const unknown: SimulatedApiSettingsInput = { configurations: { kind: 'all', exceptPrefix: 'unknown' } };

describe('jobs plan looks at the task configurations', () => {
  test('each once, and refuses the rows of one that does not exist, by name', async () => {
    const { api, jobs, json } = await stage(unknown);
    const wrong = 'task17,unknownB7\n';
    const file = jobs.file('tasks.csv', header + rows(ROWS).replace('task17,cfgB7\n', wrong));
    const { exitCode, summary } = await json([file, '--job', 'j']);
    expect(exitCode).toBe(3);
    const reason = 'there is no task configuration unknownB7 (404)';
    expect(summary).toMatchObject({
      toChange: ROWS - 1,
      refused: 1,
      reasons: [{ reason, count: 1, lines: [18] }],
      configurationsLookedAt: true,
      configurations: [{ from: null, to: 'cfgB7', rows: ROWS - 1, settings: null }],
    });
    expect(api.stats()).toMatchObject({ calls: 0, reads: { calls: 2 } });
    expect(jobs.read('tasks.csv.refused.csv')).toContain(`18,"${reason}",`);
    expect((await jobs.plan('j.plan.jsonl')).leftOut).toEqual([
      {
        Row: 17,
        LeftOut: 'refused',
        Identifier: 'task17',
        TaskConfigurationId: 'unknownB7',
        Reason: reason,
      },
    ]);
  });

  test('and makes no plan when no row is left', async () => {
    const { api, jobs, plan } = await stage(unknown);
    const file = jobs.file('tasks.csv', header + rows(300, 'unknownB7'));
    const { exitCode, stdout } = await plan([file, '--job', 'j']);
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/^next: fix the rows in tasks.csv.refused.csv; there is no plan$/m);
    expect(jobs.files()).not.toContain('j.plan.jsonl');
    expect(api.stats()).toMatchObject({ calls: 0, reads: { calls: 1 } });
  });

  test('but not at those of rows that are left out, nor reads the task of a row that is refused', async () => {
    const { api, jobs, json } = await stage(unknown);
    const file = jobs.file('tasks.csv', `${header}a1,unknownA\na1,cfgB7\n!,cfgC1\nb2,unknownB\n`);
    const { summary } = await json([file, '--refresh']);
    expect(summary).toMatchObject({ toChange: 1, refused: 2, duplicates: 1 });
    // cfgB7, unknownB, the task a1, and the configuration that it had.
    expect(api.stats().reads.calls).toBe(4);
  });

  test('and says how many calls that takes, where they are many', async () => {
    const { jobs, json } = await stage();
    const each = Array.from({ length: 600 }, (_, i) => `task${i + 1},cfg${i}\n`).join('');
    const { stderr, summary } = await json([jobs.file('tasks.csv', header + each)]);
    expect(stderr).toBe('configurations: 600 calls of GetOtaTaskConfiguration\n');
    expect(summary).toMatchObject({ toChange: 600, otherConfigurations: 400 });
    expect(summary.configurations).toHaveLength(200);
  });
});

describe('what a plan changes', () => {
  test('is shown side by side, where the values before are known', async () => {
    const { jobs, plan, json } = await stage({ tasks: { kind: 'numbered', prefix: 'task', count: 200 } });
    const file = jobs.file('tasks.csv', header + rows(200));
    const { stdout } = await plan([file, '--refresh', '--job', 'j']);
    expect(stdout).toMatch(
      /^ {2}configuration +\d+ {2}from cfgA\d to cfgB7:\n +cfgA\d +cfgB7\n {6}\w+ +\S+ +\S+$/m,
    );
    // Those that are not shown are counted, and one is named with the command that compares it.
    expect(stdout.replaceAll(/\n +/g, ' ')).toMatch(
      / configuration +\d+ {2}in \d+ more pairs: ota-updater configs diff cfgA\d cfgB7 compares one, --json lists them /,
    );
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    const { summary } = await json([file, '--refresh', '--job', 'k']);
    expect(summary.configurations.reduce((sum, { rows: count }) => sum + count, 0)).toBe(200);
    expect(summary.configurations.slice(0, 5).every(({ settings }) => settings !== null)).toBe(true);
    expect(summary.configurations.map(({ leftOut }) => leftOut)).toEqual(
      summary.configurations.map((_, i) => i >= 5),
    );
    for (const { settings } of summary.configurations.slice(0, 5))
      for (const { setting } of settings ?? []) expect(['Name', 'Description']).not.toContain(setting);
  });

  test('is not known without reading the tasks, and the plan says so', async () => {
    const { jobs, plan } = await stage();
    const { stdout } = await plan([jobs.file('tasks.csv', `${header}a1,cfgB7\n`)]);
    expect(stdout).toMatch(
      /^ {2}configuration +1 {2}to cfgB7; what differs is not known without --refresh$/m,
    );
  });
});

describe('the status of each task', () => {
  test('is shown where tasks were read, with what is not known about an update of it', async () => {
    const { jobs, plan, json } = await stage();
    const file = jobs.file('tasks.csv', `${header}completed1,cfgB7\ncanceled1,cfgB7\na1,cfgB7\n`);
    const { stdout } = await plan([file, '--refresh', '--job', 'j']);
    expect(stdout).toMatch(/^ {2}task status$/m);
    expect(stdout).toMatch(/^ +1 {2}COMPLETED \(line 2\)$/m);
    expect(stdout).toMatch(/^ +1 {2}CANCELED \(line 3\)$/m);
    expect(stdout.replace(/\s+/g, ' ')).toContain(
      'unknown: what AWS does with an update of a task that is running, completed or cancelled.',
    );
    const { summary } = await json([file, '--refresh', '--job', 'k']);
    expect(summary).toMatchObject({
      toChange: 3,
      statuses: expect.arrayContaining([
        { status: 'COMPLETED', rows: 1, lines: [2] },
        { status: 'CANCELED', rows: 1, lines: [3] },
      ]),
    });
  });

  test('is that of the list, for live tasks; of scheduled ones there is nothing to say', async () => {
    const { plan } = await stage({ tasks: { kind: 'numbered', prefix: 'task', count: 100 } });
    const { stdout } = await plan([
      '--from-tasks',
      '--where',
      'Status=SCHEDULED',
      '--set',
      'TaskConfigurationId=cfgB7',
    ]);
    expect(stdout).toMatch(/^ {2}task status\n +\d+ {2}SCHEDULED \(lines /m);
    expect(stdout).not.toContain('unknown:');
  });

  test('is not shown where no task was read', async () => {
    const { jobs, plan } = await stage();
    const { stdout } = await plan([jobs.file('tasks.csv', `${header}completed1,cfgB7\n`)]);
    expect(stdout).not.toContain('task status');
  });
});

describe('a plan whose configurations cannot be looked at', () => {
  test.each<[string, SimulatedApiSettingsInput, RegExp]>([
    [
      'are denied',
      { deniedOperations: ['GetOtaTaskConfiguration'] },
      /were not checked, so .*: GetOtaTaskConfiguration is denied: the credentials need/,
    ],
    ['are behind expired credentials', { expiredCredentials: true }, /AWS does not accept the credentials/],
    ['are behind an API that is down', { down: true }, /the API answered GetOtaTaskConfiguration with 500/],
  ])('because they %s is made all the same, with a warning', async (_what, settings, warning) => {
    const { jobs, json } = await stage(settings);
    const file = jobs.file('tasks.csv', header + rows(3));
    const { exitCode, summary } = await json([file, '--job', 'j']);
    expect(exitCode).toBe(0);
    expect(summary).toMatchObject({ toChange: 3, configurationsLookedAt: false });
    expect(summary.warnings).toContainEqual(expect.stringMatching(warning));
    expect(jobs.files()).toContain('j.plan.jsonl');
  });

  test('because there is no answer within ten seconds, too', async () => {
    const { api, jobs, json } = await stage({ latency: { minMs: 86_400_000, maxMs: 86_400_000 } });
    const late = Promise.withResolvers<void>();
    const waits: number[] = [];
    const sleep = (ms: number, signal: AbortSignal): Promise<void> => {
      waits.push(ms);
      return Promise.race([
        late.promise,
        new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
      ]);
    };
    const making = json([jobs.file('tasks.csv', header + rows(3))], { context: { sleep } });
    await api.waitFor(() => api.stats().reads.calls > 0);
    late.resolve();
    const { exitCode, summary } = await making;
    expect(exitCode).toBe(0);
    expect(new Set(waits)).toEqual(new Set([10_000]));
    expect(summary.warnings).toContainEqual(
      expect.stringContaining('no answer to GetOtaTaskConfiguration within 10 s'),
    );
  });

  test('with --no-look asks nothing, and says that it has not', async () => {
    const { api, jobs, plan } = await stage(unknown);
    const { exitCode, stdout } = await plan([
      jobs.file('tasks.csv', header + rows(3, 'unknownB7')),
      '--no-look',
    ]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^ {2}configuration +3 {2}to unknownB7, not checked$/m);
    expect(stdout).not.toContain('were not checked');
    expect(api.stats().reads.calls).toBe(0);
  });
});
