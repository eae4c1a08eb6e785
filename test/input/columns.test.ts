import { describe, expect, test } from 'vitest';
import { type ColumnFlags, Columns, noColumnFlags } from '../../src/input/columns.ts';
import { Findings } from '../../src/input/findings.ts';
import type { Format, RefusedRow, RowFields } from '../../src/input/row.ts';
import { parseRows } from '../../src/input/rows.ts';

async function* each(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
  yield chunk;
}

async function rowsOf(
  text: string,
  given: Partial<ColumnFlags> = {},
  format: Format = 'csv',
): Promise<{ rows: (RowFields | RefusedRow)[]; findings: Findings }> {
  const findings = new Findings();
  const input = {
    name: 'tasks.csv',
    format,
    chunks: each(Buffer.from(text)),
    flags: { ...noColumnFlags, ...given },
  };
  return { rows: await Array.fromAsync(parseRows(input, {}, findings)), findings };
}

const fieldsOf = async (...args: Parameters<typeof rowsOf>): Promise<unknown[]> =>
  (await rowsOf(...args)).rows.map((row) => ('fields' in row ? row.fields : row.reason));

const fails = (...args: Parameters<typeof rowsOf>): Promise<string> =>
  rowsOf(...args).then(
    () => 'read',
    (error: Error) => error.message,
  );

describe('columns', () => {
  test.each([
    ['semicolons', 'Identifier;Description\na1;x\n', 'separated by semicolons'],
    ['tabs', 'Identifier\tDescription\na1\tx\n', 'separated by tabs'],
    ['bars', 'Identifier|Description\na1|x\n', 'separated by vertical bars'],
    ['commas', 'Identifier,Description\na1,x\n', undefined],
    ['what the first line says', 'sep=^\nIdentifier^Description\na1^x\n', 'separated by "^"'],
    [
      'what most names are known with',
      '"Identifier";"Description";"a,b,c,d"\na1;x;\n',
      'separated by semicolons',
    ],
  ])('are found between %s, and that is told', async (_what, text, form) => {
    const { rows, findings } = await rowsOf(text, { ignored: ['a,b,c,d'] });
    expect(rows).toMatchObject([{ fields: { Identifier: 'a1', Description: 'x' } }]);
    expect(findings.form).toBe(form);
  });

  test('are known in any letter case, with blanks and no-break spaces around them', async () => {
    expect(await fieldsOf('IDENTIFIER,\u00a0taskconfigurationid ,jobId\na1,cfg,j\n')).toEqual([
      { Identifier: 'a1', TaskConfigurationId: 'cfg', JobId: 'j' },
    ]);
  });

  test('of other names are mapped and ignored by flags', async () => {
    const text = 'Task ID,Region,Description\na1,EU,x\n';
    const flags: Partial<ColumnFlags> = { mapped: [['task id', 'Identifier']], ignored: ['REGION'] };
    expect(await fieldsOf(text, flags)).toEqual([{ Identifier: 'a1', Description: 'x' }]);
    const json = '{"Task ID":"a1","Region":{"a":1},"Description":"x"}\n';
    expect(await fieldsOf(json, flags, 'jsonl')).toEqual([{ Identifier: 'a1', Description: 'x' }]);
  });

  test('that are mapped stand before one of the field that is ignored', async () => {
    const flags: Partial<ColumnFlags> = { mapped: [['New ID', 'Identifier']], ignored: ['Identifier'] };
    expect(await fieldsOf('Identifier,New ID,Description\nold,a1,x\n', flags)).toEqual([
      { Identifier: 'a1', Description: 'x' },
    ]);
  });

  test('without a name may be empty, and rows longer or shorter by empty cells', async () => {
    expect(await fieldsOf('Identifier,Description,,\na1,x,,\nb2,y\nc3,z,,,,\n,,,\n')).toEqual([
      { Identifier: 'a1', Description: 'x' },
      { Identifier: 'b2', Description: 'y' },
      { Identifier: 'c3', Description: 'z' },
    ]);
  });

  test('without a name that hold something are refused by row, or ignored by flag', async () => {
    const text = 'Identifier,Description,\na1,x,note\n';
    expect(await fieldsOf(text)).toEqual([
      `column 3 has no name and holds "note": name it in the header, or leave it out with --ignore-column ''`,
    ]);
    expect(await fieldsOf(text, { ignored: [''] })).toEqual([{ Identifier: 'a1', Description: 'x' }]);
  });

  test('of which one is unknown are refused with the nearest field and the flag', async () => {
    expect(await fails('Identifier,TaskConfigId\na1,x\n')).toBe(
      'tasks.csv, line 1: unknown column "TaskConfigId". Did you mean TaskConfigurationId? Then add: ' +
        '--column TaskConfigId=TaskConfigurationId; to leave it out: --ignore-column TaskConfigId. ' +
        'The columns are Identifier, Description, TaskConfigurationId, JobId, RequestId, IssuedAt; ' +
        'the first line must name them, separated by commas, semicolons or tabs.',
    );
  });

  test('that no line names are told as that', async () => {
    expect(await fails('pump1,x\npump2,y\n')).toContain(
      'tasks.csv, line 1: it names no known column, and begins with "pump1", "x". The columns are Identifier,',
    );
  });

  test('of which several are unknown are refused with flags that can be pasted', async () => {
    const text = "Task ID;Config;Owner's team;Description\na1;x;y;z\n";
    expect(await fails(text)).toContain(
      `add: --column 'Task ID=Identifier' --column Config=TaskConfigurationId --ignore-column 'Owner'\\''s team'.`,
    );
    const flags: Partial<ColumnFlags> = {
      mapped: [
        ['Task ID', 'Identifier'],
        ['Config', 'TaskConfigurationId'],
      ],
      ignored: ["Owner's team"],
    };
    expect(await fieldsOf(text, flags)).toEqual([
      { Identifier: 'a1', TaskConfigurationId: 'x', Description: 'z' },
    ]);
  });

  test('that look like a field that is there already are to be left out: both would be it', async () => {
    expect(await fails('Task ID;TaskId;Descr;Description\na1;b1;y;z\n')).toContain(
      `add: --column 'Task ID=Identifier' --ignore-column TaskId --ignore-column Descr.`,
    );
    expect(await fails('Identifier,Descr,Description\na1,y,z\n')).toContain(
      'unknown column "Descr". To leave it out, add: --ignore-column Descr.',
    );
  });

  test('of which none is Identifier: that is said, and no file is left without one', async () => {
    expect(await fails('Device,Description\na1,x\n')).toContain(
      'tasks.csv, line 1: unknown column "Device", and no column Identifier. Did you mean Identifier? ' +
        'Then add: --column Device=Identifier; to leave it out: --ignore-column Device.',
    );
    expect(await fails('Device,Region,Descr\na1,EU,x\n')).toContain(
      'tasks.csv, line 1: unknown columns "Device", "Region", "Descr", and no column Identifier. ' +
        'Say which one it is: --column NAME=Identifier. To say what each other one is, or to leave it out, ' +
        'add: --ignore-column Device --ignore-column Region --column Descr=Description.',
    );
  });

  test('that are unknown in an object are refused with it', async () => {
    expect(await fieldsOf('{"TaskId":"a1","Region":"EU","Description":"x"}\n', {}, 'jsonl')).toEqual([
      'unknown field "TaskId" (did you mean Identifier? Then add: --column TaskId=Identifier); ' +
        'unknown field "Region" (to leave it out add: --ignore-column Region)',
    ]);
    expect(await fieldsOf('{"Identifier":"a1","identifier":"b2"}\n', {}, 'jsonl')).toEqual([
      '"Identifier" and "identifier" are both Identifier',
    ]);
  });

  test('that a flag names and the file does not have are told with the nearest', async () => {
    const text = 'Task,Description\na1,x\n';
    expect(await fails(text, { mapped: [['Tsk', 'Identifier']] })).toBe(
      '--column Tsk=Identifier: tasks.csv has no column "Tsk". Did you mean "Task"? Its columns are "Task", "Description".',
    );
    expect(await fails(text, { where: [['State', 'applied']] })).toContain(
      '--where State=applied: tasks.csv has no column "State". Its columns are',
    );
  });

  test('are remembered without bound on the memory', () => {
    const columns = new Columns(noColumnFlags);
    for (let i = 0; i < 5_000; i++) columns.of(`c${i}`);
    expect(columns.of('c4999')).not.toBe(columns.of('c4999'));
    expect(columns.of('c1')).toBe(columns.of('c1'));
  });
});

describe('--where', () => {
  const text = 'Identifier,Description,State\na1,x,applied\nb2,y,dead-lettered\nc3,z,refused\nd4,z,\n';

  test('takes the rows with one of the values, in every column that it names', async () => {
    const where: ColumnFlags['where'] = [
      ['state', 'dead-lettered'],
      ['State', 'refused'],
      ['Description', 'z'],
    ];
    const { rows, findings } = await rowsOf(text, { where });
    expect(rows).toMatchObject([{ line: 4, fields: { Identifier: 'c3' } }]);
    expect(findings.leftOut).toBe(3);
  });

  test('takes objects alike; what is absent is empty', async () => {
    const json =
      '[{"Identifier":"a1","State":"applied"},\n{"Identifier":"b2","State":null},{"Identifier":"c3"}]';
    expect(await fieldsOf(json, { where: [['State', '']] }, 'json')).toEqual([
      { Identifier: 'b2' },
      { Identifier: 'c3' },
    ]);
  });

  test('that no row fits says which values there are', async () => {
    expect(await fails(text, { where: [['State', 'dead-leterd']] })).toBe(
      'No row of tasks.csv matches --where State=dead-leterd: there is nothing to do. ' +
        'Its values are: State: applied (1), dead-lettered (1), refused (1), empty (1).',
    );
  });
});

test('a plan is no file of updates, and told as what it is', async () => {
  expect(await fails('{"Plan":3,"JobId":"j"}\n', {}, 'jsonl')).toContain('is the plan of a job');
});
