/** An export that is not complete says so, and what it wrote can be deleted without losing the rest. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { runLetters } from '../../testing/stages/letters.ts';
import { Servers } from '../../testing/stages/servers.ts';
import { credentials, REGION } from '../../testing/stages/stage.ts';

let servers: Servers;
let folder: string;
let out: string;

beforeAll(async () => {
  vi.stubEnv('AWS_REGION', REGION);
  vi.stubEnv('AWS_ACCESS_KEY_ID', credentials.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', credentials.secretAccessKey);
  const queues = { updates: {}, dead: {}, 'updates.fifo': {}, 'dead.fifo': {} };
  servers = await Servers.start({ queues, fifo: false, strict: false, api: {} });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await servers.close();
});
beforeEach(() => {
  servers.sqs.reset();
  folder = mkdtempSync(join(tmpdir(), 'export-'));
  out = join(folder, 'letters.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

type Kind = '' | '.fifo';
const standard: Kind = '';
const fifo: Kind = '.fifo';

/** Puts letters on the dead-letter queue, in three groups on a FIFO queue. @returns their message ids. */
function put(kind: Kind, count: number, name = 'task'): string[] {
  const group = (i: number) =>
    kind === fifo ? { messageGroupId: `g${i % 3}`, messageDeduplicationId: `${name}${i}` } : {};
  return Array.from({ length: count }, (_, i) => {
    const body = JSON.stringify({ Identifier: `${name}${i}`, Description: 'x' });
    return servers.sqs.sendMessage(`dead${kind}`, body, { region: REGION, ...group(i) }).messageId;
  });
}

/** The ids of the letters on the queue. */
function left(kind: Kind): string[] {
  const { ready = [], inflight = [] } = servers.sqs.inspectQueue(`dead${kind}`)?.messages ?? {};
  return [...ready, ...inflight.map(({ message }) => message)].map(({ messageId }) => messageId).toSorted();
}

function run(kind: Kind, args: string, typed?: string) {
  const env = {
    QUEUE_URL: servers.queueUrl(`updates${kind}`),
    DEAD_LETTER_QUEUE_URL: servers.queueUrl(`dead${kind}`),
    STATE_DIR: folder,
    AWS_REGION: REGION,
  };
  return runLetters(args.split(' '), { env, ...(typed !== undefined && { typed }) });
}

const exported = (): { MessageId: string; Body: string }[] =>
  readFileSync(out, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
const purge = () => `purge --exported ${out} --reason kept`;

test('of a FIFO queue it is not complete, and export and purge in turn lose no letter', async () => {
  const all = put(fifo, 9);
  const kept: string[] = [];
  for (let round = 0; left(fifo).length > 0; round++) {
    const { exitCode, stderr } = await run(fifo, `export --out ${out}`);
    const missing = all.length - kept.length - exported().length;
    expect(exitCode).toBe(missing === 0 ? 0 : 3);
    if (missing > 0) expect(stderr).toContain(`NOT COMPLETE: about ${missing} letter`);
    const purged = await run(
      fifo,
      round === 0 ? purge() : `${purge()} --yes`,
      `purge ${exported().length}\n`,
    );
    expect(purged.exitCode, purged.both).toBe(0);
    kept.push(...exported().map(({ MessageId }) => MessageId));
    expect(left(fifo)).toEqual(all.filter((id) => !kept.includes(id)).toSorted());
    rmSync(out);
  }
  expect(kept.toSorted()).toEqual(all.toSorted());
});

test.each([
  ['--limit', () => 'export --limit 5', 'Stopped at the limit'],
  ['--seconds', () => 'export --seconds 0.000001', 'Stopped after the maximum time'],
])('stopped early by %s it is not complete', async (_flag, command, said) => {
  put(standard, 30);
  const { exitCode, stderr } = await run(standard, `${command()} --out ${out}`);
  expect(exitCode).toBe(3);
  expect(stderr).toContain(said);
  expect(stderr).toContain('NOT COMPLETE: about ');
});

test('letters that somebody else holds are missing; what came since the export is not deleted', async () => {
  const all = put(standard, 6);
  const held = await servers.queue('dead').receive({ max: 2, waitSeconds: 0, visibilitySeconds: 600 });
  const { exitCode, stderr } = await run(standard, `export --out ${out}`);
  expect(exitCode).toBe(3);
  expect(stderr).toContain('NOT COMPLETE: about 2 letters of the queue not seen');
  expect(exported()).toHaveLength(4);
  const since = put(standard, 3, 'since');
  const purged = await run(standard, `${purge()} --yes`);
  expect(purged.exitCode, purged.both).toBe(0);
  expect(purged.stdout).toMatch(/^ {2}deleted +4$/m);
  expect(left(standard)).toEqual([...held.map(({ messageId }) => messageId), ...since].toSorted());
  expect(all).toHaveLength(6);
});

test('a letter that differs, or is gone, is told and stays; the others are deleted', async () => {
  put(standard, 4);
  await run(standard, `export --out ${out}`);
  const [first, second, ...rest] = exported();
  const changed = { ...first, Body: `${first?.Body} ` };
  const gone = { ...second, MessageId: 'of-no-letter' };
  writeFileSync(out, [changed, gone, ...rest].map((letter) => `${JSON.stringify(letter)}\n`).join(''));
  const purged = await run(standard, `${purge()} --yes --json`);
  expect(purged.exitCode).toBe(3);
  expect(JSON.parse(purged.stdout)).toMatchObject({ purged: 2, inFile: 4, notSeen: 1, differ: 1 });
  expect(left(standard)).toEqual([first?.MessageId, second?.MessageId].toSorted());
  // An export is never written over, not even by another.
  const again = await run(standard, `export --out ${out}`);
  expect([again.exitCode, again.stderr]).toEqual([2, expect.stringContaining('already exists')]);
});

test.each([
  ['is cut', (text: string) => text.slice(0, -5), 'line 3 of'],
  ['holds updates', () => '{"Identifier":"a1","Description":"x"}\n', 'line 1 of'],
  ['is empty', () => '', 'holds no letters'],
])('a file that %s deletes nothing', async (_what, change, message) => {
  put(standard, 3);
  await run(standard, `export --out ${out}`);
  writeFileSync(out, change(readFileSync(out, 'utf8')));
  const { exitCode, stderr } = await run(standard, `${purge()} --yes`);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining(message)]);
  expect(left(standard)).toHaveLength(3);
});

test('--exported is not combined with other choices', async () => {
  const { exitCode, stderr } = await run(standard, `${purge()} --all --yes`);
  expect([exitCode, stderr]).toEqual([2, '--all and --exported contradict each other.\n']);
});
