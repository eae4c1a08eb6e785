/** Triage of 700 dead letters of three causes and 20 foreign ones, from list to purge. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type LettersOptions, type LettersResult, runLetters } from '../../testing/stages/letters.ts';
import { credentials, REGION, type Stage, setStage } from '../../testing/stages/stage.ts';

const UNKNOWN = 400;
const INVALID = 200;
const DENIED = 100;
const FOREIGN = 20;
const ALL = UNKNOWN + INVALID + DENIED + FOREIGN;

let stage: Stage;
let folder: string;

beforeAll(async () => {
  vi.stubEnv('AWS_REGION', REGION);
  vi.stubEnv('AWS_ACCESS_KEY_ID', credentials.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', credentials.secretAccessKey);
  folder = mkdtempSync(join(tmpdir(), 'letters-'));
  stage = await setStage({
    api: { tasks: { kind: 'all', exceptPrefix: 'unknown' }, denied: { prefix: 'denied' } },
    env: { FAILURE_RUN_LIMIT: '0' },
  });
  vi.stubEnv('AWS_ENDPOINT_URL_SQS', stage.sqsUrl);
  const change = { TaskConfigurationId: 'cfgB7', JobId: 'nightly' };
  const bodies = Array.from({ length: UNKNOWN }, (_, i): object[] => [
    { Identifier: `unknown${i}`, ...change },
    ...(i < INVALID ? [{ Identifier: `typo${i}`, TaskConfigurationID: 'cfgB7' }] : []),
    // A denied update is dead-lettered once a call for another task has succeeded.
    ...(i < DENIED
      ? [
          { Identifier: `denied${i}`, ...change },
          { Identifier: `good${i}`, ...change },
        ]
      : []),
  ]);
  await stage.send(...bodies.flat());
  for (let i = 0; i < FOREIGN; i++)
    stage.sqs.sendMessage('dead', JSON.stringify({ Identifier: `foreign${i}`, Description: 'by hand' }));
  await stage.worker.start();
  await stage.ended(UNKNOWN + INVALID + 2 * DENIED);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await stage.strike();
  rmSync(folder, { recursive: true });
});

const letters = (args: readonly string[], options: Partial<LettersOptions> = {}): Promise<LettersResult> =>
  runLetters(args, { env: { ...stage.environment(), STATE_DIR: folder }, ...options });

function dead(): { visible: number; hidden: number } {
  const messages = stage.sqs.inspectQueue('dead')?.messages;
  return { visible: messages?.ready.length ?? 0, hidden: messages?.inflight.length ?? 0 };
}

interface Listed {
  readonly groups: {
    readonly reason: string;
    readonly error: string;
    readonly count: number;
    group: string;
  }[];
  readonly pass: object;
}

async function grouped(): Promise<Listed> {
  return JSON.parse((await letters(['list', '--group', '--json'])).stdout) as Listed;
}

const counts = ({ groups }: Listed) => groups.map(({ reason, error, count }) => [reason, error, count]);

const audit = () =>
  readFileSync(join(folder, 'dead-letters.log'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('list --group shows four causes in one pass and leaves all letters in place', async () => {
  const listed = await grouped();
  expect(counts(listed)).toEqual([
    ['Rejected', 'ResourceNotFoundException', UNKNOWN],
    ['Invalid', expect.any(String), INVALID],
    ['Rejected', 'AccessDeniedException', DENIED],
    ['foreign', 'NoRecord', FOREIGN],
  ]);
  expect(listed.pass).toEqual({
    seen: ALL,
    about: ALL,
    heldByOthers: 0,
    fifo: false,
    end: 'through',
    notReleased: 0,
  });
  expect(dead()).toEqual({ visible: ALL, hidden: 0 });
});

test('list shows the same as text in 80 columns', async () => {
  const { stdout, exitCode } = await letters(['list', '--group'], { columns: 80 });
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(
    /^[0-9a-f]{8} +400 {2}\d{4}-\d\d-\d\d .*\n {2}Rejected: ResourceNotFoundException \(404\)\n {2}example unknown\d+: /m,
  );
  expect(stdout).toMatch(/^720 letters seen of about 720$/m);
  expect(stdout).toContain('all left in place');
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
});

test('list stops at --limit and says so; an interruption leaves all in place, too', async () => {
  const limited = await letters(['list', '--limit', '33']);
  expect(limited.stdout).toMatch(/^33 letters seen of about 720$/m);
  expect(limited.stdout).toContain('Stopped at the limit');
  const interrupted = await letters(['list'], { onOutput: (interrupt) => interrupt() });
  expect(interrupted.exitCode).toBe(130);
  expect(interrupted.stdout).toContain('Interrupted');
  expect(dead()).toEqual({ visible: ALL, hidden: 0 });
});

test('show finds a letter by its Identifier; export writes letters and updates', async () => {
  const shown = await letters(['show', 'denied7']);
  expect(shown.stdout).toMatch(/^cause +Rejected: AccessDeniedException \(403\) \[group [0-9a-f]{8}\]$/m);
  expect(shown.stdout).toMatch(/^JobId +nightly$/m);
  expect((await letters(['show', 'nobody'])).exitCode).toBe(1);
  const out = join(folder, 'letters.jsonl');
  const exported = await letters(['export', '--where', 'reason=foreign', '--out', out]);
  expect(exported.exitCode).toBe(0);
  const lines = readFileSync(out, 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).Body)).toContain(
    '{"Identifier":"foreign7","Description":"by hand"}',
  );
  expect(lines).toHaveLength(FOREIGN);
  expect((await letters(['export', '--out', out])).exitCode).toBe(2);
  const updates = await letters(['export', '--where', 'status=403', '--as', 'updates']);
  expect(updates.stdout.trimEnd().split('\n')).toHaveLength(DENIED);
  expect(JSON.parse(updates.stdout.split('\n')[0] ?? '')).toMatchObject({
    JobId: 'nightly',
    IssuedAt: expect.any(String),
  });
  expect(dead()).toEqual({ visible: ALL, hidden: 0 });
});

const unknown = ['redrive', '--where', 'error=ResourceNotFoundException'];
const doIt = ['--yes', '--reason', 'tasks made'];
const canary = ['--canary', '3', '--canary-quiet', '0.3', '--canary-seconds', '20'];

test('redrive is a dry run unless confirmed', async () => {
  const calls = stage.api.stats().byStatus;
  const { stdout, stderr, exitCode } = await letters(unknown);
  expect(stdout).toMatch(/^ {2}would redrive +400$/m);
  expect(stdout).toMatch(/^TaskConfigurationId cfgB7 +400 {2}unknown\d+$/m);
  expect(stderr).toContain('Dry run: nothing was changed');
  expect(exitCode).toBe(0);
  const interrupted = await letters([...unknown, '--reason', 'x'], {
    typed: 'red',
    staysOpen: true,
    onOutput: (interrupt) => setImmediate(interrupt),
  });
  expect(interrupted.exitCode).toBe(130);
  expect(interrupted.stderr).toMatch(/Interrupted\. Nothing was changed\.\n$/);
  const declined = await letters([...unknown, '--reason', 'x'], { typed: 'yes\n' });
  expect(declined).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('Nothing was changed.') });
  await expect(letters([...unknown, '--yes'])).resolves.toMatchObject({ exitCode: 2 });
  await expect(letters(['redrive', ...doIt])).resolves.toMatchObject({ exitCode: 2 });
  expect(dead()).toEqual({ visible: ALL, hidden: 0 });
  expect(stage.api.stats().byStatus).toEqual(calls);
});

test('a canary that is dead-lettered again stops the redrive with exit code 4', async () => {
  const { stdout, stderr, exitCode } = await letters([...unknown, ...canary, ...doIt]);
  expect(exitCode).toBe(4);
  expect(stdout).toMatch(/^ {2}redriven +3$/m);
  expect(stdout).toContain('canaries: 3 letters came back');
  expect(stderr).toContain('the cause is not fixed');
  expect(dead()).toEqual({ visible: ALL, hidden: 0 });
});

test('a second redrive of letters that were rejected again is refused with the reason', async () => {
  const { stdout, exitCode } = await letters([...unknown, '--limit', '400', '--json']);
  expect(exitCode).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({
    wouldRedrive: UNKNOWN - 3,
    notRedrivenBy: [{ why: 'rejected again after it was put back unchanged', count: 3, forcible: true }],
  });
});

test('a group whose cause is fixed in the API is redriven with a canary and applied, the others unchanged', async () => {
  stage.api.configure({ tasks: { kind: 'all' } });
  const { stdout, exitCode } = await letters([...unknown, ...canary, ...doIt, '--force', '--by', 'mia']);
  expect(stdout).toContain('canaries ended well');
  expect(stdout).toMatch(/^ {2}redriven +400$/m);
  expect(exitCode).toBe(0);
  await stage.ended(UNKNOWN + INVALID + 2 * DENIED + 3 + UNKNOWN);
  for (let i = 0; i < UNKNOWN; i++)
    expect(stage.api.task(`unknown${i}`)).toMatchObject({ TaskConfigurationId: 'cfgB7' });
  expect(counts(await grouped())).toEqual([
    ['Invalid', expect.any(String), INVALID],
    ['Rejected', 'AccessDeniedException', DENIED],
    ['foreign', 'NoRecord', FOREIGN],
  ]);
  expect(dead()).toEqual({ visible: ALL - UNKNOWN, hidden: 0 });
});

test('foreign letters are redriven, too; invalid ones are refused and can be purged', async () => {
  const redriven = await letters(['redrive', '--where', 'reason=foreign', '--reason', 'put back'], {
    typed: `redrive ${FOREIGN}\n`,
  });
  expect(redriven.exitCode).toBe(0);
  const before = UNKNOWN + INVALID + 2 * DENIED + 3 + UNKNOWN;
  await stage.ended(before + FOREIGN);
  expect(stage.api.task('foreign7')).toMatchObject({ Description: 'by hand' });
  const invalid = ['--where', 'reason=Invalid', '--reason', 'typo', '--yes'];
  const refused = await letters(['redrive', ...invalid]);
  expect(refused.exitCode).toBe(3);
  expect(refused.stdout).toMatch(/^ {2}not redriven +200\n {4}200 {2}not a valid update/m);
  expect((await letters(['purge', ...invalid])).stdout).toMatch(/^ {2}deleted +200$/m);
  expect(dead()).toEqual({ visible: DENIED, hidden: 0 });
});

test('every changing command is logged with user, command, reason and each letter', () => {
  const lines = audit();
  const begun = lines.filter(({ event }) => event === 'begin');
  expect(begun.map(({ action, by, reason }) => [action, by, reason])).toEqual([
    ['redrive', 'tester@bench', 'tasks made'],
    ['redrive', 'mia@bench', 'tasks made'],
    ['redrive', 'tester@bench', 'put back'],
    ['redrive', 'tester@bench', 'typo'],
    ['purge', 'tester@bench', 'typo'],
  ]);
  const named = lines.flatMap(({ letters: some, run }) =>
    ((some ?? []) as { identifier: string }[]).map(({ identifier }) => `${run} ${identifier}`),
  );
  expect(new Set(named).size).toBe(named.length);
  expect(named).toHaveLength(3 + UNKNOWN + FOREIGN + INVALID);
  expect(lines.filter(({ event }) => event === 'end')).toHaveLength(5);
});
