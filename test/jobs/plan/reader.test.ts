import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { PlanWriter } from '../../../src/jobs/plan/writer.ts';
import { JobsFolder } from '../../../testing/stages/jobs.ts';

const header = { Plan: 2, JobId: 'j', CreatedAt: '2026-11-25T07:00:00.000Z', Source: 'tasks.csv' } as const;

let jobs: JobsFolder;
beforeEach(() => {
  jobs = new JobsFolder();
});

function write(rows: readonly { Identifier: string; Description: string }[], name = 'p.jsonl'): string {
  const writer = new PlanWriter(name, { cwd: jobs.path, force: true });
  writer.begin(header);
  let Row = 0;
  for (const row of rows) writer.add({ Row: ++Row, ...row, Former: { Description: 'é "old"\u2028' } });
  for (const row of leftOut) writer.add({ Row: ++Row, ...row });
  writer.finish();
  return name;
}

const leftOut = [
  {
    LeftOut: 'refused',
    Identifier: 'x\u0000\ud800;=1',
    Description: 'é\u0000'.repeat(200),
    TaskConfigurationId: '=1',
    Reason: 'r'.repeat(600),
  },
  { LeftOut: 'as-wanted', Identifier: 'd4', Description: 'x' },
  { LeftOut: 'refused' },
] as const;

const some = ['a1', 'b2', 'c3'].map((Identifier) => ({ Identifier, Description: 'x' }));

describe('a plan', () => {
  test('comes back as it was written, as often as it is read', async () => {
    // More than one buffer and more than one chunk.
    const rows = Array.from({ length: 3_000 }, (_, i) => ({ Identifier: `task${i}`, Description: 'x' }));
    const plan = await jobs.plan(write(rows));
    expect(plan.header).toEqual(header);
    expect(plan.footer.Counts).toEqual({ toChange: 3_000, alreadyAsWanted: 1, refused: 2, duplicates: 0 });
    expect(plan.leftOut).toEqual([
      {
        Row: 3_001,
        ...leftOut[0],
        Description: `${'é\u0000'.repeat(150).slice(0, -1)}…`,
        Reason: `${'r'.repeat(499)}…`,
      },
      { Row: 3_002, ...leftOut[1] },
      { Row: 3_003, ...leftOut[2] },
    ]);
    expect(plan.all).toEqual(
      rows.map((row, i) => ({ Row: i + 1, ...row, Former: { Description: 'é "old"\u2028' } })),
    );
  });

  test('is refused when any byte of it was changed', async () => {
    const text = Buffer.from(jobs.read(write(some)));
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const changed = Buffer.from(text);
        changed[at] = (changed[at] ?? 0) ^ change;
        jobs.file('changed.jsonl', changed);
        // The line feed at the very end does not count.
        if (at === text.length - 1 && changed.at(-1) === 13) return;
        await expect(jobs.plan('changed.jsonl')).rejects.toThrow(
          /was changed|not a plan|another release|cut short|binary|UTF-16/,
        );
      }),
      { numRuns: 150 },
    );
  });

  test('is refused when it is cut short anywhere', async () => {
    const text = Buffer.from(jobs.read(write(some)));
    for (let length = 1; length < text.length - 1; length += 7) {
      jobs.file('short.jsonl', text.subarray(0, length));
      await expect(jobs.plan('short.jsonl')).rejects.toThrow(/cut short|was changed|not a plan/);
    }
  });

  test.each<[string, (lines: string[]) => string[], RegExp]>([
    ['lacks a row', (lines) => lines.toSpliced(2, 1), /holds row 3 where row 2 belongs \(line 3\)/],
    [
      'holds a row twice',
      (lines) => lines.toSpliced(2, 0, lines[1] ?? ''),
      /holds row 1 where row 2 belongs/,
    ],
    [
      'has its rows in another order',
      ([a = '', b = '', c = '', ...rest]) => [a, c, b, ...rest],
      /row 2 where row 1/,
    ],
    ['lacks its last row', (lines) => lines.toSpliced(6, 1), /its digest does not match/],
    ['changes what it leaves out', (lines) => lines.map((l) => l.replace('d4', 'd5')), /its digest does not/],
    ['lacks its last line', (lines) => lines.slice(0, -1), /is cut short: it ends after 6 rows/],
    ['goes on', (lines) => [...lines, lines[1] ?? ''], /continues after its last line \(line 9\)/],
    ['holds something else', (lines) => lines.toSpliced(2, 1, '{"Row":2}'), /not a row of a plan \(line 3\)/],
    ['changes another task', (lines) => lines.map((l) => l.replace('b2', 'b3')), /its digest does not match/],
    ['is of a later release', (lines) => ['{"Plan":4}', ...lines.slice(1)], /another release \(form 4\)/],
    ['is none', () => ['Identifier,Description', 'a1,x'], /is not a plan: its first line/],
  ])('that %s is refused', async (_what, change, message) => {
    const lines = jobs.read(write(some)).trimEnd().split('\n');
    jobs.file('changed.jsonl', `${change(lines).join('\n')}\n`);
    await expect(jobs.plan('changed.jsonl')).rejects.toThrow(message);
  });

  test('does not replace a file that has appeared meanwhile', () => {
    const writer = new PlanWriter('p.jsonl', { cwd: jobs.path, force: false });
    writer.begin(header);
    writer.add({ Row: 1, Identifier: 'a1', Description: 'x' });
    jobs.file('p.jsonl', 'mine');
    expect(() => writer.finish()).toThrow(/already exists/);
    writer.discard();
    expect(jobs.read('p.jsonl')).toBe('mine');
    expect(jobs.files()).toEqual(['p.jsonl']);
  });

  test('that cannot be written says where and why', () => {
    expect(() => new PlanWriter('nowhere/p.jsonl', { cwd: jobs.path })).toThrow(
      `The plan cannot be written to nowhere/p.jsonl: there is no folder ${jobs.path}/nowhere.`,
    );
  });
});
