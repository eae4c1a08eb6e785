import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { CommanderError } from 'commander';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { configureEnqueue } from '../../src/enqueue/command.ts';
import { fakeContext, runConfigured } from '../../testing/stages/context.ts';

let startedAt: number;
const sample = join(import.meta.dirname, '../../examples/updates.csv');

let sqs: FauxqsServer;
let cwd: string;

beforeAll(async () => {
  sqs = await startFauxqs({ port: 0, logger: false, host: '127.0.0.1' });
});

afterAll(() => sqs.stop());

beforeEach(() => {
  startedAt = Date.now();
  sqs.reset();
  sqs.createQueue('updates');
  sqs.createQueue('updates.fifo', { attributes: { FifoQueue: 'true' } });
  cwd = mkdtempSync(join(tmpdir(), 'enqueue-'));
  // The SDK reads these from the process itself.
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cwd, { recursive: true });
});

const queueUrl = (name = 'updates'): string => `${sqs.address}/000000000000/${name}`;

interface Surroundings {
  readonly stdin?: string;
  readonly env?: Record<string, string>;
  readonly terminal?: boolean;
  /** How far its clock is ahead, in milliseconds. */
  readonly aheadMs?: number;
  /** The first number the run draws. */
  readonly random?: number;
}

async function enqueue(
  args: readonly string[],
  { stdin = '', env, terminal = false, aheadMs = 0, random = 0 }: Surroundings = {},
) {
  const context = fakeContext({
    env: { AWS_REGION: 'eu-west-1', ...(env ?? { QUEUE_URL: queueUrl() }) },
    cwd,
    stdin: Readable.from([Buffer.from(stdin)]),
    isTerminal: terminal,
    clock: { wall: () => startedAt + aheadMs, monotonic: () => 0 },
    random: () => random,
  });
  return await runConfigured(configureEnqueue, 'enqueue', args, context).catch((error: unknown) => {
    if (!(error instanceof CommanderError)) throw error;
    return { exitCode: 2, error: error.message, ...context.output };
  });
}

const json = async (args: readonly string[], surroundings?: Surroundings) => {
  const { exitCode, stdout } = await enqueue([...args, '--json'], surroundings);
  return { exitCode, summary: JSON.parse(stdout) as Record<string, unknown> };
};

function messages(name = 'updates') {
  return sqs.inspectQueue(name)?.messages.ready ?? [];
}

const bodies = (name?: string): Record<string, string>[] =>
  messages(name).map(({ body }) => JSON.parse(body));
const identifiers = (name?: string): (string | undefined)[] => bodies(name).map((body) => body.Identifier);

function file(name: string, content: string | Buffer): string {
  writeFileSync(join(cwd, name), content);
  return name;
}

const header = 'Identifier,Description\n';

describe('enqueue', () => {
  test('puts every row of a CSV file on the queue', async () => {
    const rows = Array.from({ length: 25 }, (_, i) => `a${i},Nightly ${i}\n`).join('');
    const { exitCode, stdout, stderr } = await enqueue([file('tasks.csv', header + rows)]);
    expect(exitCode).toBe(0);
    expect(identifiers().toSorted()).toEqual(Array.from({ length: 25 }, (_, i) => `a${i}`).toSorted());
    expect(bodies().find((body) => body.Identifier === 'a7')).toEqual({
      Identifier: 'a7',
      Description: 'Nightly 7',
      RequestId: 'row-000009',
      IssuedAt: new Date(startedAt).toISOString(),
    });
    expect(stdout).toContain('tasks.csv: 25 rows read');
    expect(stdout).toMatch(/^ {2}sent +25 {2}to http\S+\/updates in 3 requests, /m);
    expect(stdout).toMatch(/^ {2}refused +0$/m);
    expect(stdout).toMatch(/^next: ota-updater worker\n {6}applies them$/m);
    expect(stderr).toBe('');
  });

  test.each(['tasks.jsonl', 'tasks.ndjson', 'tasks.JSONL'])('reads JSON Lines from %s', async (name) => {
    const lines = '{"Identifier":"a1","Description":"x"}\n{"Identifier":"b2","TaskConfigurationId":"cfg"}\n';
    expect((await enqueue([file(name, lines)])).exitCode).toBe(0);
    expect(identifiers().toSorted()).toEqual(['a1', 'b2']);
  });

  test('takes --format over the extension', async () => {
    const { exitCode } = await enqueue([file('tasks.txt', `${header}a1,x\n`), '--format', 'csv']);
    expect(exitCode).toBe(0);
  });

  test('sets fields and the job on every row', async () => {
    const name = file('tasks.csv', `${header}a1,x\nb2,y\n`);
    await enqueue([name, '--set', 'TaskConfigurationId=cfgB7', '--set', 'Description=all', '--job', 'job-1']);
    const set = { Description: 'all', TaskConfigurationId: 'cfgB7', JobId: 'job-1' };
    expect(bodies()).toMatchObject([set, set]);
  });

  test("sends to AWS_ENDPOINT_URL_SQS instead of the queue URL's host, where that is set", async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_SQS', sqs.address);
    const env = {
      QUEUE_URL: 'http://127.0.0.1:1/000000000000/updates',
      AWS_ENDPOINT_URL_SQS: sqs.address,
    };
    expect(await enqueue([file('tasks.csv', `${header}a1,x\n`)], { env })).toMatchObject({ exitCode: 0 });
    expect(identifiers()).toEqual(['a1']);
  });

  test('prefers --queue-url to QUEUE_URL', async () => {
    const name = file('tasks.csv', `${header}a1,x\n`);
    await enqueue([name, '--queue-url', queueUrl()], {
      env: { QUEUE_URL: 'http://127.0.0.1:1/000000000000/x' },
    });
    expect(identifiers()).toEqual(['a1']);
  });

  test.each([
    ['CSV', `${header}a1,x\n`],
    ['JSON Lines', '\n  {"Identifier":"a1","Description":"x"}\n'],
  ])('tells %s on stdin by its first character and leaves no copy behind', async (_what, stdin) => {
    mkdirSync(join(cwd, 'tmp'));
    vi.stubEnv('TMPDIR', join(cwd, 'tmp'));
    const { exitCode, stdout } = await enqueue(['-'], { stdin });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('stdin: 1 row read');
    expect(identifiers()).toEqual(['a1']);
    expect(readdirSync(join(cwd, 'tmp'))).toEqual([]);
  });

  test('says where stdin cannot be copied, and sends nothing', async () => {
    vi.stubEnv('TMPDIR', join(cwd, 'none'));
    const { exitCode, error } = await enqueue(['-'], { stdin: `${header}a1,x\n` });
    expect(exitCode).toBe(1);
    expect(error).toBe(
      `stdin cannot be copied to ${join(cwd, 'none')}: there is no such file or folder (ENOENT). Set TMPDIR to another folder for copies.`,
    );
    expect(identifiers()).toEqual([]);
  });

  test('writes the refused rows of stdin to the working directory', async () => {
    expect((await enqueue(['-'], { stdin: `${header}a1,x\n!,y\n` })).exitCode).toBe(3);
    expect(readFileSync(join(cwd, 'stdin.refused.csv'), 'utf8')).toContain('3,"Identifier: may hold');
  });

  test('sends the good rows, reports the refused ones and ends with 3', async () => {
    const name = file('tasks.csv', `${header}a1,x\nb-2,y\nc3,z\nd4\n`);
    const { exitCode, stdout } = await enqueue([name]);
    expect(exitCode).toBe(3);
    expect(identifiers().toSorted()).toEqual(['a1', 'c3']);
    const refused = parse(readFileSync(join(cwd, 'tasks.csv.refused.csv')));
    expect(refused.map((cells) => cells.slice(0, 4))).toEqual([
      ['line', 'reason', 'row', 'Identifier'],
      ['3', 'Identifier: may hold only letters and digits; character 2 is "-"', 'b-2,y', 'b-2'],
      ['5', 'has 1 cell, the header has 2 columns', 'd4', ''],
    ]);
    expect(stdout).toMatch(/^ {2}refused +2 {2}with the reasons in tasks.csv.refused.csv$/m);
    expect(stdout).toMatch(/^next: fix the 2 rows in tasks.csv.refused.csv/m);
  });

  test('hints go to the queue that --queue-url names, and none to another', async () => {
    const given = ['--queue-url', queueUrl()];
    const name = file('tasks.csv', `${header}a1,x\nb-2,y\n`);
    const elsewhere = { QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/123456789012/other' };
    const { stdout } = await enqueue([name, ...given], { env: elsewhere });
    expect(stdout).toMatch(
      new RegExp(`^ {6}ota-updater enqueue tasks.csv.refused.csv --queue-url ${queueUrl()}$`, 'm'),
    );
    const good = await enqueue([file('good.csv', `${header}a1,x\n`), ...given], { env: elsewhere });
    expect(good.stdout).not.toContain('next: ');
  });

  test('sends nothing and ends with 3 when every row is refused', async () => {
    expect((await enqueue([file('tasks.csv', `${header}!,x\n`)])).exitCode).toBe(3);
    expect(messages()).toEqual([]);
  });

  test("leaves a former run's refused rows as they are, also when there are none, and on a dry run", async () => {
    const former = 'line,reason,row\n3,bad,"corrected by the user"\n';
    file('tasks.csv.refused.csv', former);
    const rows = (bad: string): string => file('tasks.csv', `${header}a1,x\n${bad}`);
    await enqueue([rows('')]);
    const next = [await json([rows('!,x\n'), '--dry-run']), await json([rows('!,x\n')])];
    expect(next.map(({ summary }) => summary.refusedFile)).toEqual(
      Array.from({ length: 2 }, () => 'tasks.csv.refused-2.csv'),
    );
    const given = await enqueue([rows('!,x\n'), '--refused', 'tasks.csv.refused.csv']);
    expect(given).toMatchObject({ exitCode: 2, error: expect.stringContaining('already exists') });
    expect(readFileSync(join(cwd, 'tasks.csv.refused.csv'), 'utf8')).toBe(former);
    expect(messages()).toHaveLength(2);
  });

  test.each(['plain', 'dry run'])('never writes over its input (%s)', async (how) => {
    const text = `${header}!,x\n`;
    const name = file('tasks.csv', text);
    const args = [name, '--refused', name, ...(how === 'plain' ? [] : ['--dry-run'])];
    expect(await enqueue(args)).toMatchObject({
      exitCode: 2,
      error: expect.stringContaining('this command reads that file'),
    });
    expect(readFileSync(join(cwd, name), 'utf8')).toBe(text);
  });

  test('says which Identifiers repeat, and that a standard queue keeps no order', async () => {
    const name = file('tasks.csv', `${header}a1,x\nb2,x\na1,y\n`);
    expect((await enqueue([name])).stdout).toMatch(
      /duplicates +1 {2}of one Identifier; a standard queue keeps no/,
    );
    const { stdout } = await enqueue([name, '--queue-url', queueUrl('updates.fifo')]);
    expect(stdout).toMatch(/duplicates +1 {2}of one Identifier; they are applied in file order/);
  });

  test('keeps the order of each group on a FIFO queue', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => `task${i % 7},Nightly ${i}\n`).join('');
    const url = queueUrl('updates.fifo');
    const { exitCode } = await enqueue([file('tasks.csv', header + rows), '--queue-url', url]);
    expect(exitCode).toBe(0);
    const byTask = Map.groupBy(bodies('updates.fifo'), ({ Identifier }) => Identifier);
    expect(byTask.size).toBe(7);
    for (const [task, updates] of byTask) {
      const first = Number(task?.slice(4));
      const expected = Array.from({ length: updates.length }, (_, i) => `Nightly ${first + 7 * i}`);
      expect(updates.map(({ Description }) => Description)).toEqual(expected);
    }
    expect(messages('updates.fifo')).toHaveLength(60);
  });

  test('makes two sendings of two runs over the same file on a FIFO queue', async () => {
    const args = [file('tasks.csv', `${header}a1,x\n`), '--queue-url', queueUrl('updates.fifo')];
    await enqueue(args);
    await enqueue([...args, '--set', `IssuedAt=${new Date(startedAt + 1_000).toISOString()}`]);
    expect(messages('updates.fifo')).toHaveLength(2);
  });

  test('has no row swallowed on a FIFO queue: not one that says what another says, not in a deliberate rerun', async () => {
    const row = '{"Identifier":"a1","Description":"x","RequestId":"r1","IssuedAt":"2025-11-23T06:00:00Z"}\n';
    const args = [file('tasks.jsonl', row + row), '--queue-url', queueUrl('updates.fifo')];
    await enqueue(args, { random: 0.25 });
    expect(messages('updates.fifo')).toHaveLength(2);
    await enqueue(args, { random: 0.75 });
    expect(messages('updates.fifo')).toHaveLength(4);
    for (const body of bodies('updates.fifo')) expect(body.IssuedAt).toBe('2025-11-23T06:00:00Z');
  });

  test.each([
    ['ahead', 3_600_000],
    ['behind', -3_600_000],
  ])(
    'sends nothing with a clock an hour %s of that of SQS, which would say when rows were decided on',
    async (_, aheadMs) => {
      const name = file('tasks.csv', `${header}a1,x\n`);
      const { exitCode, error } = await enqueue([name], { aheadMs });
      expect([exitCode, messages().length]).toEqual([1, 0]);
      expect(error).toMatch(
        /^This machine's clock is .* (ahead of|behind) that of SQS: .* Nothing was sent\. Set the clock\.$/,
      );
      expect((await enqueue([name, '--dry-run'], { aheadMs })).exitCode).toBe(0);
    },
  );

  test('goes on from a line, and still reports all refused rows', async () => {
    const name = file('tasks.csv', `${header}!,x\na1,x\nb2,x\nc3,x\n`);
    const { exitCode, summary } = await json([name, '--from-line', '4']);
    expect(exitCode).toBe(3);
    expect(identifiers().toSorted()).toEqual(['b2', 'c3']);
    expect(summary).toMatchObject({ rows: 4, sent: 2, skipped: 1, refused: 1 });
  });

  test('sends nothing on a dry run, and says what it would send', async () => {
    const name = file('tasks.csv', `${header}a1,x\n!,y\n`);
    const { exitCode, stdout } = await enqueue([name, '--dry-run']);
    expect(exitCode).toBe(3);
    expect(messages()).toEqual([]);
    expect(stdout).toMatch(/^ {2}would send +1 {2}to http\S+\/updates in 1 request$/m);
    expect(stdout).toContain('{"Identifier":"a1","Description":"x","RequestId":"row-000002",');
    expect(stdout).toMatch(/^next: the same command without --dry-run$/m);
    expect(existsSync(join(cwd, 'tasks.csv.refused.csv'))).toBe(true);
  });

  test('a dry run with --refused says that the command needs another name then', async () => {
    const name = file('tasks.csv', `${header}a1,x\n!,y\n`);
    const { stdout } = await enqueue([name, '--dry-run', '--refused', 'no.csv']);
    expect(stdout).toMatch(/^next: the same command without --dry-run and with another --refused$/m);
    expect((await enqueue([name, '--refused', 'no.csv'])).exitCode).toBe(2);
    expect((await enqueue([name, '--refused', 'no-2.csv'])).exitCode).toBe(3);
  });

  test('a dry run with --job says that it does not read the ledger, and makes up no RequestId', async () => {
    const name = file('tasks.csv', `${header}a1,x\n`);
    const { stdout } = await enqueue([name, '--dry-run', '--job', 'fleet']);
    expect(stdout.replace(/\s+/g, ' ')).toContain(
      'note: a dry run does not read the ledger: rows that job fleet sent before are not sent again',
    );
    expect(stdout).not.toContain('row-000002');
  });

  test('reads a file with semicolons in UTF-16, and says so', async () => {
    const text = '\uFEFFidentifier;DESCRIPTION;\r\na1;x;\r\n;;\r\nb2;y;\r\n';
    const { exitCode, stdout } = await enqueue([file('tasks.csv', Buffer.from(text, 'utf16le'))]);
    expect(exitCode).toBe(0);
    expect(identifiers().toSorted()).toEqual(['a1', 'b2']);
    expect(stdout).toContain('tasks.csv: 2 rows read, separated by semicolons, UTF-16\n');
  });

  test('reads a JSON array, whatever the name of its file', async () => {
    const text = JSON.stringify(
      [
        { Identifier: 'a1', Description: 'x' },
        { Identifier: 'b2', Description: 'y' },
      ],
      null,
      2,
    );
    expect((await enqueue([file('tasks.txt', text)])).exitCode).toBe(0);
    expect(identifiers().toSorted()).toEqual(['a1', 'b2']);
  });

  test('takes the columns as the flags say, and the rows that they say', async () => {
    const name = file('tasks.csv', 'Task ID,Region,New text\na1,EU,x\nb2,US,y\n');
    const flags = [
      '--column',
      'Task ID=Identifier',
      '--column',
      'New text=description',
      '--where',
      'Region=EU',
    ];
    const { exitCode, stdout } = await enqueue([name, ...flags]);
    expect({ exitCode, sent: identifiers() }).toEqual({ exitCode: 0, sent: ['a1'] });
    expect(stdout).toMatch(/^ {2}left out +1 {2}by --where$/m);
  });

  test('takes its file of refused rows, once they are corrected', async () => {
    const text = 'Task ID;Description;Note\na1;x;1\nb-2;-y;2\nc3;z\u00a0;3\n';
    const flags = ['--column', 'Task ID=Identifier', '--ignore-column', 'Note', '--job', 'job-1'];
    const { stdout } = await enqueue([file('tasks.csv', text), ...flags]);
    expect(stdout.replace(/\s+/g, ' ')).toContain(
      'line 4: Description: may hold only letters, digits, spaces, _ and -; it ends with a no-break',
    );
    sqs.reset();
    sqs.createQueue('updates');
    const refused = readFileSync(join(cwd, 'tasks.csv.refused.csv'), 'utf8');
    file('tasks.csv.refused.csv', refused.replace('"b-2","\'-y"', '"b2","\'-y"').replace('"z\u00a0"', '"z"'));
    expect((await enqueue(['tasks.csv.refused.csv'])).exitCode).toBe(0);
    expect(bodies().toSorted((a, b) => (a.Identifier ?? '').localeCompare(b.Identifier ?? ''))).toMatchObject(
      [
        { Identifier: 'b2', Description: '-y', JobId: 'job-1' },
        { Identifier: 'c3', Description: 'z', JobId: 'job-1' },
      ],
    );
  });

  test('notices RequestIds that occur twice', async () => {
    const name = file('tasks.csv', 'Identifier,Description,RequestId\na1,x,r1\nb2,y,r1\nc3,y,r2\nd4,z,\n');
    const { stdout } = await enqueue([name, '--dry-run']);
    expect(stdout.replace(/\s+/g, ' ')).toContain(
      'note: one RequestId is on more than one row (1 row too many): give',
    );
    const { summary } = await json([name, '--dry-run']);
    expect(summary).toMatchObject({ duplicateRequestIds: 1, notes: [] });
  });

  test('reads the file first on a dry run, whatever the queue', async () => {
    const env = { QUEUE_URL: 'updates' };
    const bad = await enqueue([file('bad.csv', 'Identifer\na1\n'), '--dry-run'], { env });
    expect(bad).toMatchObject({ exitCode: 2, error: expect.stringContaining('unknown column "Identifer"') });
    const good = await enqueue([file('good.csv', `${header}a1,x\n`), '--dry-run'], { env });
    expect(good).toMatchObject({
      exitCode: 0,
      stderr: 'QUEUE_URL: must be the URL of a queue (https://sqs.…); a dry run needs no queue.\n',
    });
  });

  test('needs no queue for a dry run', async () => {
    const { exitCode } = await enqueue([file('tasks.csv', `${header}a1,x\n`), '--dry-run'], { env: {} });
    expect(exitCode).toBe(0);
  });

  test('prints one JSON object with --json', async () => {
    const { summary } = await json([file('tasks.csv', `${header}a1,x\na1,y\n!,z\n`)]);
    expect(summary).toEqual({
      outcome: 'done',
      file: 'tasks.csv',
      queueUrl: queueUrl(),
      dryRun: false,
      rows: 3,
      sent: 2,
      mayHaveArrived: 0,
      skipped: 0,
      refused: 1,
      refusedFile: 'tasks.csv.refused.csv',
      duplicateIdentifiers: 1,
      duplicateRequestIds: 0,
      notes: [],
      form: null,
      leftOut: 0,
      duplicateRows: 1,
      requests: 1,
      seconds: 0,
      rate: 2,
      continueFrom: null,
      failure: null,
    });
  });

  test('draws a progress bar on a terminal and nowhere else', async () => {
    const name = file('tasks.csv', `${header}a1,x\n`);
    expect((await enqueue([name], { terminal: true })).stderr).toMatch(/validating .*sending /s);
    expect((await enqueue([name])).stderr).toBe('');
  });

  test('prints nothing from the file that could control a terminal', async () => {
    const name = file('tasks.jsonl', '{"\u001b]0;owned\u0007":1}\n\u001b[2J\u202E\n');
    const { stdout } = await enqueue([name]);
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(stdout).toContain('\\u{1b}');
  });
});

describe('enqueue refuses, before anything is sent,', () => {
  test.each<[string, string | Buffer, string]>([
    ['an empty file', '', 'tasks.csv is empty'],
    ['a file of blank lines', '\n \n', 'tasks.csv is empty'],
    ['a header without rows', header, 'tasks.csv holds a header and no rows'],
    [
      'an Excel workbook, and says how to save it as CSV',
      Buffer.from('PK\x03\x04[Content_Types].xml\0xl/workbook.xml', 'latin1'),
      'is an Excel workbook (.xlsx), not CSV. Open it in the spreadsheet program and save it as CSV',
    ],
    ['a binary file', Buffer.from([0x7f, 0x45, 3, 4, 0, 0]), 'tasks.csv is a binary file'],
    [
      'an unknown column',
      'Identifier,Descripton\na1,x\n',
      'unknown column "Descripton". Did you mean Description? Then add: --column Descripton=Description;',
    ],
  ])('%s', async (_what, content, message) => {
    const { exitCode, error } = await enqueue([file('tasks.csv', content)]);
    expect({ exitCode, error }).toEqual({ exitCode: 2, error: expect.stringContaining(message) });
    expect(messages()).toEqual([]);
    expect(readdirSync(cwd)).toEqual(['tasks.csv']);
  });

  test.each<[string, string[], string]>([
    ['a missing file', ['nowhere.csv'], 'There is no file nowhere.csv.'],
    ['a directory', ['.'], '. is a directory, not a file.'],
    [
      'an unknown format',
      ['tasks.csv', '--format', 'xlsx'],
      '--format xlsx: the formats are csv, json and jsonl',
    ],
    ['an unknown field to set', ['tasks.csv', '--set', 'Descripton=x'], 'unknown field "Descripton"'],
    ['a field to set without a value', ['tasks.csv', '--set', 'Description'], '--set Description=VALUE'],
    ['a value to set that is not valid', ['tasks.csv', '--set', 'JobId=a b'], 'JobId: may hold only'],
    ['a job that cannot be named so', ['tasks.csv', '--job', 'a b'], '--job a b: may hold 1 to 128'],
    ['a job that no address can name', ['tasks.csv', '--job', '..'], '--job ..: may hold 1 to 128'],
    ['two values for a field', ['tasks.csv', '--job', 'a', '--set', 'JobId=b'], 'JobId is set twice'],
    ['a line that is no number', ['tasks.csv', '--from-line', '0'], 'must be a whole number from 1'],
    [
      'a line after the last row',
      ['tasks.csv', '--from-line', '9'],
      'the last row of tasks.csv is on line 2',
    ],
    [
      'a queue that is no URL',
      ['tasks.csv', '--queue-url', 'updates'],
      '--queue-url: must be the URL of a queue',
    ],
  ])('%s', async (_what, args, message) => {
    file('tasks.csv', `${header}a1,x\n`);
    file('tasks.txt', `${header}a1,x\n`);
    const { exitCode, error } = await enqueue(args);
    expect({ exitCode, error }).toEqual({ exitCode: 2, error: expect.stringContaining(message) });
    expect(messages()).toEqual([]);
  });

  test('a missing queue, and says how to give one', async () => {
    const { exitCode, error } = await enqueue([file('tasks.csv', `${header}a1,x\n`)], { env: {} });
    expect({ exitCode, error }).toEqual({
      exitCode: 2,
      error: expect.stringContaining('set QUEUE_URL or use --queue-url'),
    });
  });
});

test('enqueue ends every row of any bytes as sent or refused', async () => {
  const part = fc.constantFrom('a1', ',', '\n', '"', 'x', '\r\n', '!', 'é', '\u0007');
  const bytes = fc.oneof(
    fc.array(part, { maxLength: 60 }).map((parts) => Buffer.from(parts.join(''))),
    fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array.map((byte) => byte || 1))),
  );
  await fc.assert(
    fc.asyncProperty(bytes, async (tail) => {
      sqs.reset();
      rmSync(join(cwd, 'tasks.csv.refused.csv'), { force: true });
      const content = Buffer.concat([Buffer.from(`${header}a1,x\n`), tail]);
      const { exitCode, summary } = await json([file('tasks.csv', content)]);
      const { rows, sent, refused } = summary as Record<string, number>;
      expect(rows).toBe(Number(sent) + Number(refused));
      expect(messages()).toHaveLength(Number(sent));
      expect(exitCode).toBe(refused === 0 ? 0 : 3);
      const report = join(cwd, 'tasks.csv.refused.csv');
      expect(existsSync(report) ? parse(readFileSync(report)).length - 1 : 0).toBe(refused);
    }),
    { numRuns: 60 },
  );
});

test('enqueue refuses the 25 rows of the sample that are wrong and sends the others', async () => {
  const name = file('updates.csv', readFileSync(sample));
  const { exitCode, summary } = await json([name]);
  expect(exitCode).toBe(3);
  expect(summary).toMatchObject({
    rows: 1_200,
    sent: 1_175,
    refused: 25,
    duplicateIdentifiers: 5,
    requests: 118,
  });
  expect(messages()).toHaveLength(1_175);
});

test('the sample is what its script prints', () => {
  const script = join(import.meta.dirname, '../../scripts/make-sample.ts');
  expect(execFileSync(process.execPath, [script], { encoding: 'utf8' })).toBe(readFileSync(sample, 'utf8'));
});
