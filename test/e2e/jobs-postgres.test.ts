/** Jobs whose ledger is in PostgreSQL: real processes, a server that goes away under them, senders that are killed. */
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { HANGS_MS } from '../../testing/hangs.ts';
import { postgresForTests } from '../../testing/postgres/databases.ts';
import { postgresInstalled } from '../../testing/postgres/server.ts';
import type { Child } from '../../testing/processes/child.ts';
import { startOta } from '../../testing/processes/ota.ts';
import { setJobs } from '../../testing/stages/jobs-stage.ts';
import type { StageOptions } from '../../testing/stages/stage.ts';

describe.skipIf(!postgresInstalled())('a ledger in PostgreSQL', () => {
  const server = postgresForTests();

  /** A stage whose commands use a ledger in PostgreSQL; `start` runs one as a process, on another machine as it were. */
  async function set(options: StageOptions = {}) {
    const LEDGER_URL = await server().createDatabase();
    const jobs = await setJobs({}, options);
    const env = { ...jobs.env, LEDGER_URL };
    const start = (...args: readonly string[]): Child => {
      const child = startOta(args, { cwd: jobs.folder.path, env, keepOutput: true });
      onTestFinished(() => child.end());
      return child;
    };
    const run = (args: readonly string[]) => jobs.run(args, { env: { LEDGER_URL } });
    return { ...jobs, start, run, LEDGER_URL };
  }

  async function query(url: string, text: string): Promise<void> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(text);
    await client.end();
  }

  const lines = (child: Child) => child.output.stderr.split('\n').filter((line) => /ledger/i.test(line));

  test('that is stopped and started while a job is sent: its sender pauses, says so, and ends every row', async () => {
    const { stage, plan, ids, start, run } = await set({
      holdAnswers: true,
      env: { CALL_TIMEOUT_MS: String(HANGS_MS) },
    });
    // No more than a window of these is sent before they are answered.
    for (const id of ids(300).slice(60)) stage.api.script(id, [{ status: 204, delayMs: 1 }]);
    await stage.worker.start();
    await plan(ids(300));
    const apply = start('jobs', 'apply', 'j.jsonl', '--yes', '--rate', '100', '--window', '20');
    await stage.ended(60);
    await server().stop();
    await apply.find((line) => (line.includes('cannot be reached') ? true : undefined));
    const before = stage.api.stats().calls;
    await server().start();
    stage.letAnswer();
    expect(await apply.exited).toMatchObject({ code: 0 });
    expect(before).toBeLessThan(300);
    expect(lines(apply)).toEqual([
      expect.stringMatching(
        /cannot be reached \(.*\): nothing is sent until it is back\. Nothing is lost\.$/,
      ),
      expect.stringMatching(/is back after \d+ s\.$/),
    ]);
    expect(apply.output.stderr + apply.output.stdout).not.toContain('secret');
    const { stdout } = await run(['status', 'j', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ rows: 300, applied: 300, inFlight: 0, maybeSentTwice: 0 });
  });

  test('undoes a job that a rule stops on a machine that has no STATE_DIR yet', async () => {
    const { stage, plan, ids, run } = await set();
    await stage.worker.start();
    await plan([...ids(10), ...Array.from({ length: 10 }, (_, i) => `gone${i}`)], 'j', '--refresh');
    stage.api.configure({ tasks: { kind: 'all', exceptPrefix: 'gone' } });
    const before = ids(10).map((id) => stage.api.task(id)?.TaskConfigurationId);
    const flags = ['--stages', '10,+10', '--abort-when', 'failed>3', '--undo-on-abort'];
    expect((await run(['apply', 'j.jsonl', '--yes', ...flags])).exitCode).toBe(4);
    expect(ids(10).map((id) => stage.api.task(id)?.TaskConfigurationId)).toEqual(before);
    const { stdout } = await run(['status', 'j-undo', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ state: { name: 'done' } });
  });

  test('whose sender is killed: another one takes the job over once the lease has expired', async () => {
    const { stage, plan, ids, start, run, LEDGER_URL } = await set();
    await stage.worker.start();
    await plan(ids(300));
    await run(['apply', 'j.jsonl', '--yes', '--detach', '--rate', '100']);
    const first = start('jobs', 'send');
    await stage.ended(60);
    await first.end();
    // So that the test need not wait for it.
    await query(LEDGER_URL, "UPDATE ota_updater.leases SET expires_at = now() - interval '1 second'");
    const second = start('jobs', 'send', '--once');
    expect(await second.exited).toMatchObject({ code: 0 });
    const { stdout } = await run(['status', 'j', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ rows: 300, applied: 300, inFlight: 0 });
  });

  test('where another process takes a job over from a sender that still runs: that one says so, and ends with 1', async () => {
    const { stage, plan, ids, start, LEDGER_URL } = await set();
    await plan(ids(30));
    const apply = start('jobs', 'apply', 'j.jsonl', '--yes', '--window', '10');
    await expect.poll(() => stage.left().ready).toBe(10);
    await query(
      LEDGER_URL,
      "UPDATE ota_updater.leases SET token = gen_random_uuid(), expires_at = now() + interval '1 hour'",
    );
    expect(await apply.exited).toMatchObject({ code: 1 });
    expect(apply.output.stderr).toMatch(
      /^Another process is sending the job now: .* Continue with `.*jobs status j --watch`\.$/m,
    );
  });

  test('that is away ends a command with a sentence and 2, and workers go on', async () => {
    const { stage, plan, ids, run } = await set();
    await plan(ids(3));
    await server().kill();
    const { exitCode, error, stdout } = await run(['list']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(error).toMatch(
      /^The ledger postgres:\/\/\S+ cannot be reached: .*It was tried for \d+ s\. Start that/,
    );
    await stage.worker.start();
    await stage.send({ Identifier: 'task1', Description: 'x' });
    await stage.ended(1);
    await server().start();
  });
});
