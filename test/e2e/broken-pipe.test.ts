/** Output that cannot be written: closed early, as by `| head`, on a full disk, or not read by anybody. */
import { openSync } from 'node:fs';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Child } from '../../testing/processes/child.ts';
import { type OtaOptions, startOta } from '../../testing/processes/ota.ts';
import { runCommand } from '../../testing/processes/process.ts';
import { type Stage, setStage } from '../../testing/stages/stage.ts';

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.strike();
  stage = undefined;
});

test('ends help without an error', async () => {
  const { code, stderr } = await runCommand(['enqueue', '--help'], { stdoutClosed: true });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

test('does not prevent enqueue from sending every row', async () => {
  stage = await setStage();
  const rows = Array.from({ length: 25 }, (_, i) => `t${i},new\n`).join('');
  const { code } = await runCommand(['enqueue', '--format', 'csv', '-'], {
    env: stage.environment({ QUEUE_URL: stage.source.url }),
    stdin: `Identifier,Description\n${rows}`,
    stdoutClosed: true,
  });
  expect(code).toBe(0);
  expect(stage.left()).toEqual({ ready: 25, inFlight: 0 });
});

const full = (): number => openSync('/dev/full', 'w');

test('on a full disk is told by the exit code and in a sentence, whatever the command', async () => {
  const end = async (args: readonly string[], to: Pick<OtaOptions, 'stdout' | 'stderr'>) => {
    const child = startOta(args, { ...to, env: {}, keepOutput: true });
    onTestFinished(() => child.end());
    return { code: (await child.exited).code, ...child.output };
  };
  const [result, help, health, remark] = await Promise.all([
    end(['schema'], { stdout: full() }),
    end(['jobs', '--help'], { stdout: full() }),
    end(['health'], { stdout: full() }),
    end(['enqueue', 'nowhere.csv', '--dry-run'], { stderr: full() }),
  ]);
  const stderr = 'The output is incomplete, because it cannot be written: the disk is full (ENOSPC).\n';
  expect(result).toMatchObject({ code: 1, stderr });
  expect(help).toMatchObject({ code: 1, stderr });
  // The workers of other tests are seen, too, and what is said of one that does not answer is on stderr.
  expect(health.code).toBe(1);
  const faults = expect.stringMatching(
    /^(worker with process id \d+ (is not alive|does not answer): .+\n)+$/,
  );
  expect([stderr, faults]).toContainEqual(health.stderr);
  expect(remark).toMatchObject({ code: 2, stdout: '' });
});

describe('a worker works on and drains, exit code 0', () => {
  const workers: { name: string; start: (env: Record<string, string>) => Child }[] = [
    {
      name: 'with stdout and stderr on a full disk',
      start: (env) => startOta(['worker'], { env, stdout: full(), stderr: full() }),
    },
    {
      name: 'with a reader that closes its end',
      start: (env) => {
        const child = startOta(['worker'], { env, stderr: full() });
        child.process.stdout?.destroy();
        return child;
      },
    },
    {
      name: 'with a reader that stops reading',
      start: (env) => {
        const child = startOta(['worker'], { env });
        child.process.stdout?.pause();
        return child;
      },
    },
  ];

  test.each(workers)('$name', async ({ start }) => {
    stage = await setStage();
    const { api } = stage;
    await stage.sendUpdates(200);
    const child = start(stage.environment({ HTTP_PORT: 'off', RATE_LIMIT: 'unlimited', LOG_LEVEL: 'trace' }));
    onTestFinished(() => child.end());
    const ended = child.exited.then(({ code, signal }) => `ended: ${code ?? signal}`);
    await Promise.race([ended, api.waitFor(() => api.stats().applied === 200)]);
    expect(api.stats()).toMatchObject({ applied: 200 });
    child.signal('SIGTERM');
    expect(await new Promise((resolve) => child.process.once('exit', resolve))).toBe(0);
  });
});
