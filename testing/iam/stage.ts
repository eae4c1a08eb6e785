/**
 * Commands and a console that reach AWS through recording replacements, while a worker on the same stage does
 * not.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { configureConsole } from '../../src/console/commands/command.ts';
import { sleep } from '../../src/time/clock.ts';
import { ask, formTokenOf, signIn, tokens } from '../console/serve.ts';
import { fakeContext, runConfigured } from '../stages/context.ts';
import { useApi } from '../stages/jobs.ts';
import { runInProcess } from '../stages/letters.ts';
import { setStage } from '../stages/stage.ts';
import { recordAws } from './recording.ts';
import { roles } from './roles.ts';

interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Expected exit codes; default: 0. */
  readonly codes?: readonly number[];
}

export async function setCommands(settings: Readonly<Record<string, string>> = {}) {
  const stage = await setStage({ outcomes: true });
  onTestFinished(() => stage.strike());
  useApi(stage.api);
  const aws = await recordAws({ sqs: stage.sqsUrl, api: stage.api.url });
  const cwd = mkdtempSync(join(tmpdir(), 'permissions-'));
  onTestFinished(() => rmSync(cwd, { recursive: true }));
  const url = (name: string): string => `${aws.sqs.url}/000000000000/${name}`;
  const env = stage.environment({
    STATE_DIR: cwd,
    QUEUE_URL: url('updates'),
    DEAD_LETTER_QUEUE_URL: url('dead'),
    OUTCOME_QUEUE_URL: url('outcomes'),
    AWS_ENDPOINT_URL_SQS: undefined,
    ...settings,
  });
  const done = new Set<string>();
  const run = async (args: readonly string[], { env: more, codes = [0] }: RunOptions = {}): Promise<void> => {
    const [first = '', second = ''] = args;
    done.add(first in roles ? first : `${first} ${second}`);
    const { exitCode, both } = await runInProcess(args, { env: { ...env, ...more } });
    expect(codes, `${args.join(' ')}: ${both}`).toContain(exitCode);
  };
  /** The commands that were run, sorted. */
  const ran = (): string[] => [...done].toSorted();
  return { stage, aws, cwd, env, run, ran };
}

const waits = { interval: 50 };

/** A console started as by its command, and an operator who uses its pages. */
export async function openConsole(env: Readonly<Record<string, string>>, cwd: string) {
  const context = fakeContext({
    env: { ...env, CONSOLE_PORT: '0', CONSOLE_TOKENS: `ann:operator:${tokens.ann}` },
    cwd,
    sleep,
    random: Math.random,
  });
  const over = runConfigured((command, io) => configureConsole(command, io, 0), 'console', [], context);
  await expect.poll(() => context.output.stdout, waits).toMatch(/The console is at http:/);
  const url = /http:\S+/.exec(context.output.stdout)?.[0] ?? '';
  const cookie = await signIn(url, tokens.ann);
  const see = async (path: string): Promise<string> => {
    const { status, body } = await ask(url + path, { headers: { cookie } });
    expect(status, `${path}: ${body}`).toBe(200);
    return body;
  };
  const post = async (path: string, form: Readonly<Record<string, string>> = {}): Promise<string> => {
    const formToken = await formTokenOf(`${url}/jobs`, cookie);
    const answer = await ask(url + path, { headers: { cookie }, form: { formToken, reason: 'x', ...form } });
    expect(answer.status, `${path}: ${answer.body}`).toBe(303);
    return String(answer.headers.location);
  };
  const shows = async (path: string, what: RegExp): Promise<void> =>
    await expect.poll(() => see(path), waits).toMatch(what);
  const planned = (job: string): Promise<void> => shows(`/api/v1/plans/${job}`, /"state":"made"/);
  return {
    see,
    jobDone: (job: string): Promise<void> => shows(`/api/v1/jobs/${job}`, /"state":\{"name":"done"/),
    /** Looks at the dead letters until their causes are shown. */
    look: (): Promise<void> => shows('/dead-letters', /dead-letters\/groups\/[0-9a-f]{8}/),
    /** Changes one letter of the first cause, and waits until SQS has accepted the change. */
    changeLetters: async (action: 'redrive' | 'purge'): Promise<void> => {
      const [, group = ''] = /dead-letters\/groups\/([0-9a-f]{8})/.exec(await see('/dead-letters')) ?? [];
      const change = await post('/dead-letters/plan', {
        action,
        group,
        limit: '1',
        ...(action === 'redrive' && { force: 'yes' }),
      });
      await shows(change, /\/confirm"/);
      await post(`${change}/confirm`, { phrase: `${action} 1` });
      await shows(change, /<dd>(ended|waiting until those that were put back)/);
    },
    planLive: async (job: string): Promise<void> => {
      await post('/jobs/new/live', { jobId: job, setConfiguration: 'cfgA1', refresh: 'yes' });
      await planned(job);
    },
    planUndo: async (job: string, undo: string): Promise<void> => {
      await post(`/jobs/of/${job}/undo`);
      await planned(undo);
    },
    apply: (job: string): Promise<string> => post(`/jobs/plans/${job}/apply`, { name: job }),
    verify: async (job: string): Promise<void> => {
      await post(`/jobs/of/${job}/verify`);
    },
    end: async (): Promise<void> => {
      context.signal('SIGTERM');
      expect((await over).exitCode, context.output.stdout).toBe(0);
    },
  };
}
