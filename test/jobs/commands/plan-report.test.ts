import { describe, expect, test } from 'vitest';
import { addPlan } from '../../../src/jobs/commands/plan.ts';
import type { JobRecord } from '../../../src/jobs/ledger/job.ts';
import type { LedgerRow } from '../../../src/jobs/ledger/row.ts';
import { type ReportFormat, reportText } from '../../../src/jobs/view/report.ts';
import { JobsFolder } from '../../../testing/stages/jobs.ts';

const end = { reason: 'Rejected', error: { name: 'ValidationException', status: 400, message: 'no; =1' } };

function row(Row: number, change: Pick<LedgerRow, 'Identifier' | 'state'> & Partial<LedgerRow>): LedgerRow {
  return { Row, try: 1, sends: 1, end: {}, reconciled: false, ...change };
}

/** A report as `jobs report` writes it. */
async function report(format: ReportFormat): Promise<string> {
  async function* pages() {
    yield [
      row(1, { Identifier: 'a1', Description: 'x', state: 'applied' }),
      // A cell that a spreadsheet would take for a formula.
      row(2, { Identifier: 'b2', Description: '-y', state: 'dead-lettered', end }),
      { Row: 3, LeftOut: 'duplicate' as const, Identifier: 'c3', Reason: 'line 5 names the same task' },
      row(4, { Identifier: 'c3', TaskConfigurationId: 'cfgB7', state: 'dead-lettered', end }),
    ];
  }
  async function* unmatched() {}
  const job = { key: 1, plan: {} } as JobRecord;
  return (await Array.fromAsync(reportText({ pages, unmatched }, job, format))).join('');
}

describe("a job's report is the next job's input", () => {
  test.each<ReportFormat>(['csv', 'json'])(
    'as %s: the rows of a state, with their values',
    async (format) => {
      const jobs = new JobsFolder();
      const file = jobs.file(`report.${format}`, await report(format));
      const args = ['plan', file, '--where', 'State=dead-lettered', '--job', 'next', '--json', '--no-look'];
      const { exitCode, stdout } = await jobs.run(addPlan, args);
      const summary = JSON.parse(stdout);
      expect({ exitCode, summary }).toMatchObject({
        exitCode: 0,
        summary: { rows: 2, leftOut: 2, toChange: 2 },
      });
      expect(summary.warnings.filter((text: string) => !text.startsWith('check'))).toEqual([]);
      expect((await jobs.plan('next.plan.jsonl')).all).toEqual([
        { Row: 1, Identifier: 'b2', Description: '-y' },
        { Row: 2, Identifier: 'c3', TaskConfigurationId: 'cfgB7' },
      ]);
    },
  );

  test('without --where with all of its rows, and that is told', async () => {
    const jobs = new JobsFolder();
    const file = jobs.file('report.csv', await report('csv'));
    const { stdout } = await jobs.run(addPlan, ['plan', file, '--set', 'Description=again']);
    expect(stdout).toContain('report.csv: 4 rows read\n');
    expect(stdout.replace(/\s+/g, ' ')).toContain(
      'warning: report.csv is the report of a job, and all of its rows are used, including those that ended well; ' +
        '--where State=dead-lettered uses only rows that ended so',
    );
  });

  test('and a state that no row has is told with those that there are', async () => {
    const jobs = new JobsFolder();
    const file = jobs.file('report.csv', await report('csv'));
    const { exitCode, error } = await jobs.run(addPlan, ['plan', file, '--where', 'State=dead']);
    expect({ exitCode, error }).toEqual({
      exitCode: 2,
      error: expect.stringContaining('State: applied (1), dead-lettered (2), duplicate (1)'),
    });
    expect(jobs.files()).toEqual(['report.csv']);
  });
});

test('jobs plan tells how a file is written, and takes the flags about its columns', async () => {
  const jobs = new JobsFolder();
  const text = 'Task ID;Gerät;Config\r\na1;Pumpe;cfgB7\r\nb2;Ventil;"1,2E+5"\r\n;;\r\n';
  const file = jobs.file('tasks.csv', Buffer.from(text, 'latin1'));
  const flags = [
    '--column',
    'Task ID=Identifier',
    '--column',
    'Config=TaskConfigurationId',
    '--ignore-column',
    'gerät',
  ];
  const { exitCode, stdout } = await jobs.run(addPlan, ['plan', file, '--job', 'j', ...flags]);
  expect(exitCode).toBe(3);
  expect(stdout).toMatch(/^tasks\.csv: 2 rows read, separated by semicolons, Windows-1252$/m);
  expect(stdout.replace(/\s+/g, ' ')).toContain('"1,2E+5" is a long number as a spreadsheet shortens it');
  expect((await jobs.plan('j.plan.jsonl')).all).toEqual([
    { Row: 1, Identifier: 'a1', TaskConfigurationId: 'cfgB7' },
  ]);
});
