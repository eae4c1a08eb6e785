import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { openFolder } from '../../../src/jobs/file-report/folder.ts';
import type { Manifest } from '../../../src/jobs/file-report/manifest.ts';
import type { NoticeBody } from '../../../src/notices/notice.ts';
import { version } from '../../../src/version.ts';
import { startStandIn } from '../../../testing/notices/stand-in.ts';
import { type S3Server, startS3 } from '../../../testing/s3/server.ts';
import { openFileLedger } from '../../../testing/stages/file-ledger.ts';
import { setJobs } from '../../../testing/stages/jobs-stage.ts';

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

let s3: S3Server;
let stage: Awaited<ReturnType<typeof setJobs>>;
beforeEach(async () => {
  stage = await setJobs();
  s3 = await startS3(['reports']);
  onTestFinished(() => s3.close());
  // The SDK reads it from the process itself.
  vi.stubEnv('AWS_ENDPOINT_URL_S3', s3.url);
  stage.stage.api.script('task1', [{ status: 400, errorType: 'ValidationException' }]);
  await stage.stage.worker.start();
  await stage.plan([...stage.ids(5), 'no such!'], 'fleet:b7');
  await stage.run(['apply', 'fleet:b7.jsonl', '--yes']);
});

const report = (...args: readonly string[]) =>
  stage.run(['report', 'fleet:b7', ...args], { env: { AWS_ENDPOINT_URL_S3: s3.url } });

/** What was filed, read back, is the report byte for byte, and is what the manifest says. */
async function check(read: (name: string) => Buffer): Promise<Manifest> {
  const manifest = JSON.parse(read('manifest.json').toString()) as Manifest;
  expect(read('report.csv').toString()).toBe((await report()).stdout);
  expect(read('report.json').toString()).toBe((await report('--json')).stdout);
  for (const { name, bytes, sha256: digest, rows, byState } of manifest.files) {
    const found = read(name);
    expect([name, found.length, sha256(found)]).toEqual([name, bytes, digest]);
    const list = name.endsWith('.csv')
      ? (parse(found, { columns: true }) as Record<string, string>[])
      : (JSON.parse(found.toString()) as Record<string, string>[]);
    expect(list).toHaveLength(rows);
    const counted = Object.entries(Object.groupBy(list, ({ State = '' }) => State));
    expect(Object.fromEntries(counted.map(([state, all = []]) => [state, all.length]))).toEqual(byState);
  }
  const { total, ...parts } = manifest.counts;
  const { alreadyAsWanted, refused, duplicates } = manifest.plan?.leftOut ?? assert.fail();
  const listed = total + alreadyAsWanted + refused + duplicates;
  expect(Object.values(parts).reduce((sum, rows) => sum + rows, 0)).toBe(total);
  expect(manifest.files.map(({ rows }) => rows)).toEqual([listed, listed]);
  return manifest;
}

const expected = {
  manifest: 1,
  jobId: 'fleet:b7',
  filedBy: 'tester@bench',
  program: `ota-updater ${version}`,
  plan: { digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/), source: 'rows.csv', undoes: null },
  counts: { total: 5, planned: 0, inFlight: 0, applied: 4, superseded: 0, failed: 1, notSent: 0 },
  files: [
    { name: 'report.csv', rows: 6, byState: { applied: 4, 'dead-lettered': 1, refused: 1 } },
    { name: 'report.json', rows: 6, byState: { applied: 4, 'dead-lettered': 1, refused: 1 } },
  ],
};

test('a report in S3 is exactly the report, and its manifest comes last', async () => {
  const { stdout, exitCode, error } = await report('--to', 's3://reports/fleets/');
  expect([exitCode, error]).toEqual([0, '']);
  const [, prefix = ''] = /^s3:\/\/(reports\/fleets\/fleet_b7\/\d{8}T\d{6}\.\d{3}Z\/)\n$/.exec(stdout) ?? [];
  const manifest = await check((name) => s3.objects.get(`${prefix}${name}`) ?? Buffer.alloc(0));
  expect(manifest).toMatchObject(expected);
  expect([...s3.objects.keys()].map((key) => key.slice(prefix.length))).toEqual([
    'report.csv',
    'report.json',
    'manifest.json',
  ]);
});

test('a report in a folder is the same, and no other filing replaces it', async () => {
  const { stdout, exitCode, error } = await report('--to', 'reports');
  expect([exitCode, error]).toEqual([0, '']);
  const folder = join(stage.folder.path, stdout.trim());
  const before = readFileSync(join(folder, 'manifest.json'));
  expect(await check((name) => readFileSync(join(folder, name)))).toMatchObject(expected);
  await stage.run(['report', 'fleet:b7', '--to', 'reports']);
  expect(readdirSync(join(stage.folder.path, 'reports', 'fleet_b7'))).toHaveLength(2);
  expect(readFileSync(join(folder, 'manifest.json'))).toEqual(before);
});

test("the counts of a cancelled job's manifest are of all its rows", async () => {
  await stage.plan(stage.ids(3, 'other'), 'fleet:b7x');
  await stage.run(['apply', 'fleet:b7x.jsonl', '--yes', '--detach']);
  await stage.run(['cancel', 'fleet:b7x', '--yes']);
  const { stdout } = await stage.run(['report', 'fleet:b7x', '--to', 'reports']);
  const folder = join(stage.folder.path, stdout.trim());
  const { counts } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest;
  expect(counts).toEqual({
    total: 3,
    planned: 0,
    inFlight: 0,
    applied: 0,
    superseded: 0,
    failed: 0,
    notSent: 3,
  });
});

test('without its last file nothing says that a filing is complete', async () => {
  s3.rule = ({ key }) => (key.endsWith('report.json') ? { status: 403, code: 'AccessDenied' } : 'accept');
  const { exitCode, error, stdout } = await report('--to', 's3://reports');
  expect([exitCode, stdout]).toEqual([1, '']);
  expect(error).toContain('The report cannot be filed: access to s3://reports/fleet_b7/');
  expect([...s3.objects.keys()].some((key) => key.endsWith('manifest.json'))).toBe(false);
});

test.each([
  [['--to', 's3://Reports'], '--to s3://Reports: "Reports" is not a valid bucket name'],
  [['--to', 'gs://x/y'], '--to gs://x/y: give a folder, or a bucket as in s3://BUCKET/PREFIX.'],
  [['--to', 'x', '--json', '--state', 'applied'], 'leave out --json, --state.'],
  [['--to', 'x', '--out', 'y'], 'leave out --out.'],
])('%j is refused', async (args, why) => {
  const { exitCode, error } = await report(...args);
  expect(exitCode).toBe(2);
  expect(error).toContain(why);
});

test('a folder that cannot be made is named', async () => {
  writeFileSync(join(stage.folder.path, 'taken'), '');
  mkdirSync(join(stage.folder.path, 'there'));
  const { exitCode, error } = await report('--to', 'taken');
  expect(exitCode).toBe(1);
  expect(error).toMatch(
    /^The report cannot be filed in taken\/fleet_b7\/.*: .*ENOTDIR.* Name another folder with --to\.$/,
  );
});

test.each([
  ['apply', ['apply', 'k.jsonl', '--yes', '--report-to', 's3://reports/ends']],
  ['send', ['send', '--once']],
])('a job that jobs %s has brought to its end is filed there, and its notice says where', async (_, args) => {
  const webhook = await startStandIn(() => ({ status: 200 }));
  onTestFinished(() => webhook.close());
  await stage.plan(stage.ids(3, 'other'), 'k');
  if (args[0] === 'send')
    await stage.run(['apply', 'k.jsonl', '--yes', '--detach', '--report-to', 's3://reports/ends']);
  const { stdout, stderr, exitCode } = await stage.run(args, {
    env: {
      AWS_ENDPOINT_URL_S3: s3.url,
      NOTIFY_WEBHOOK_URL: webhook.url,
      NOTIFY_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 1).toString('base64')}`,
    },
  });
  expect(exitCode, stderr).toBe(0);
  const { data } = JSON.parse(webhook.requests[0]?.body ?? '{}') as NoticeBody;
  expect(`${stdout}${stderr}`).toContain(`The report of job k is filed in ${data.report}`);
  const key = `${data.report?.replace('s3://', '')}manifest.json`;
  expect(JSON.parse(s3.objects.get(key)?.toString() ?? '{}')).toMatchObject({
    jobId: 'k',
    counts: { applied: 3 },
  });
});

test('a report that cannot be filed at the end is told of, with how to file it, and the job is done', async () => {
  await stage.plan(stage.ids(2, 'other'), 'k');
  const { exitCode, stderr, error } = await stage.run(
    ['apply', 'k.jsonl', '--yes', '--report-to', 's3://nowhere'],
    {
      env: { AWS_ENDPOINT_URL_S3: s3.url },
    },
  );
  expect({ exitCode, error }).toEqual({ exitCode: 0, error: '' });
  expect(stderr).toMatch(
    /Job k: The report cannot be filed: the bucket of s3:\/\/nowhere\/k\/.* does not exist/,
  );
  expect(stderr).toContain("File it with `ota-updater jobs report k --to '…'`");
});

test('a service says what keeps it from filing at the level of warnings', async () => {
  await stage.plan(stage.ids(2, 'other'), 'k');
  await stage.run(['apply', 'k.jsonl', '--yes', '--detach', '--report-to', 's3://nowhere']);
  const env = { AWS_ENDPOINT_URL_S3: s3.url, LOG_LEVEL: 'warn' };
  const { stdout } = await stage.run(['send', '--once'], { env });
  const lines = stdout.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({
      event: 'job.trouble',
      what: expect.stringMatching(
        /^Job k: The report cannot be filed: the bucket of .* does not exist.* The process that sends jobs of this ledger tries again/,
      ),
    }),
  ]);
});

test('a report that was not filed, as its process was killed at the end of the job, is filed by whoever sends next', async () => {
  const env = { AWS_ENDPOINT_URL_S3: s3.url };
  await stage.plan(stage.ids(2, 'other'), 'k');
  await stage.run(['apply', 'k.jsonl', '--yes', '--detach', '--report-to', 's3://reports/late']);
  // What a killed process leaves: the job is at rest, and nothing is filed.
  const ledger = await openFileLedger(`${stage.folder.path}/state`, Date.now);
  const { key = 0 } = (await ledger.job('k')) ?? {};
  await ledger.change(key, { event: 'cancel', who: 'ann@ops1' });
  while ((await ledger.cancelRows(key, 10)) > 0);
  expect(await ledger.change(key, { event: 'settle', who: 'ann@ops1' })).toBe(true);
  await ledger.close();
  expect(s3.objects.size).toBe(0);
  const { stdout } = await stage.run(['send', '--once'], { env });
  expect(stdout).toContain('The report of job k is filed in s3://reports/late/k/');
  expect([...s3.objects.keys()].map((name) => name.split('/').at(-1)).toSorted()).toEqual([
    'manifest.json',
    'report.csv',
    'report.json',
  ]);
  // Once.
  expect((await stage.run(['send', '--once'], { env })).stdout).not.toContain('is filed');
});

test('a job that no process sends any more files its report when somebody looks, and one that goes on again at its end', async () => {
  await stage.plan(stage.ids(2, 'other'), 'k');
  await stage.run(['apply', 'k.jsonl', '--yes', '--detach', '--report-to', 'filed']);
  // Whoever looks is in another folder than who gave the place.
  const elsewhere = join(stage.folder.path, 'elsewhere');
  mkdirSync(elsewhere);
  const stopped = await stage.run(['stop', 'k', '--reason', 'not today'], { cwd: elsewhere });
  expect(stopped.stderr).toContain(
    `The report of job k is filed in ${join(stage.folder.path, 'filed', 'k')}/`,
  );
  expect(readdirSync(elsewhere)).toEqual([]);
  const ledger = await openFileLedger(`${stage.folder.path}/state`, Date.now);
  const { key = 0 } = (await ledger.job('k')) ?? {};
  for (const event of ['resume', 'stop', 'settle', 'resume'] as const)
    await ledger.change(key, { event, who: 'ann@ops1' });
  await ledger.close();
  await stage.run(['send', '--once']);
  // That of the second stop was not filed any more.
  expect(readdirSync(join(stage.folder.path, 'filed', 'k'))).toHaveLength(2);
});

test('a filing in a folder that was cut off is begun again, and what is no report stays', async () => {
  const put = async (name: string, text: string): Promise<void> => {
    const folder = openFolder(stage.folder.path, 'filed/k', '--report-to');
    await folder.put(
      name,
      'text/plain',
      (async function* () {
        yield Buffer.from(text);
      })(),
    );
  };
  await put('report.json', '[]\n');
  await put('report.json', '[]\n');
  writeFileSync(join(stage.folder.path, 'filed/k/report.csv'), 'mine');
  await expect(put('report.csv', 'Row')).rejects.toThrow('filed/k/report.csv already exists');
});
