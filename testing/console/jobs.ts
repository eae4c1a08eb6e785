/** A console with its jobs section in front of a stage of jobs, for tests. */
import { existsSync, readdirSync } from 'node:fs';
import { expect, onTestFinished } from 'vitest';
import type { CommandContext } from '../../src/cli/context.ts';
import { apiSection } from '../../src/console/api/serve.ts';
import { makeJobs } from '../../src/console/commands/jobs.ts';
import type { SimulatedApiSettingsInput } from '../../src/sandbox/simulated-api/index.ts';
import { sleep } from '../../src/time/clock.ts';
import { HANGS_MS } from '../hangs.ts';
import { fakeContext } from '../stages/context.ts';
import { setJobs } from '../stages/jobs-stage.ts';
import { withOtherPages } from './other-pages.ts';
import { type Answer, ask, formTokenOf, serveConsole, signIn, tokens } from './serve.ts';

export interface ConsoleJobsOptions {
  readonly api?: SimulatedApiSettingsInput;
  /** RATE_LIMIT of the worker; default: the stage's. */
  readonly rate?: string;
  /** Answers of the API that have a latency wait for `stage.letAnswer`. */
  readonly holdAnswers?: boolean;
  /** Further settings of the console. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: true. */
  readonly send?: boolean;
  readonly mostBytes?: number;
  /** As `ConsoleOptions` has it. */
  readonly bodyMs?: number;
  /** Parts of the command's context. */
  readonly context?: Partial<CommandContext>;
  /** As `makeJobs` has it. */
  readonly openLedger?: Parameters<typeof makeJobs>[0]['openLedger'];
}

export async function setConsoleJobs(options: ConsoleJobsOptions = {}) {
  const { api = {}, rate, holdAnswers = false } = options;
  const env = {
    ...(rate !== undefined && { RATE_LIMIT: rate }),
    ...(holdAnswers && { CALL_TIMEOUT_MS: String(HANGS_MS) }),
  };
  const jobs = await setJobs(api, { holdAnswers, env });
  return { ...jobs, ...(await openConsoleJobs(jobs, options)) };
}

/** Another console on the same stage. */
export async function openConsoleJobs(
  { env, folder }: Pick<Awaited<ReturnType<typeof setJobs>>, 'env' | 'folder'>,
  options: Omit<ConsoleJobsOptions, 'api' | 'rate' | 'holdAnswers'> = {},
) {
  const { env: others = {}, send = true, mostBytes, bodyMs, context: parts = {}, openLedger } = options;
  const errors: unknown[] = [];
  const said: string[] = [];
  const context = fakeContext({
    env: { ...env, ...others },
    cwd: folder.path,
    sleep,
    random: Math.random,
    ...parts,
  });
  const made = makeJobs({
    context,
    stateDir: `${folder.path}/state`,
    send,
    say: (text) => said.push(text),
    onError: (error) => errors.push(error),
    ...(mostBytes !== undefined && { mostBytes }),
    ...(openLedger !== undefined && { openLedger }),
  });
  onTestFinished(async () => {
    await made.close();
    if (errors.length > 0) throw new AggregateError(errors, 'the console has failed');
  });
  const url = await serveConsole({
    sections: withOtherPages([made.section, made.metrics, apiSection(made.routes, '0', Date.now)]),
    ...(bodyMs !== undefined && { bodyMs }),
  });
  made.start();
  const as = async (token: string) => {
    const cookie = await signIn(url, token);
    const get = (path: string): Promise<Answer> => ask(`${url}${path}`, { headers: { cookie } });
    const post = async (path: string, form: Record<string, string> = {}): Promise<Answer> => {
      const formToken = await formTokenOf(`${url}/jobs`, cookie);
      return await ask(`${url}${path}`, {
        headers: { cookie },
        form: { formToken, reason: 'because', ...form },
      });
    };
    /** Uploads a file with the form of a new job. */
    const upload = async (
      name: string,
      content: string | Uint8Array<ArrayBuffer>,
      fields: Record<string, string> = {},
    ) => {
      const form = new FormData();
      const all = { formToken: await formTokenOf(`${url}/jobs`, cookie), reason: 'because', ...fields };
      for (const [field, value] of Object.entries(all)) form.append(field, value);
      form.append('file', new Blob([content]), name);
      const answer = await fetch(`${url}/jobs/new`, {
        method: 'POST',
        body: form,
        redirect: 'manual',
        headers: { cookie, origin: url },
      });
      return {
        status: answer.status,
        location: answer.headers.get('location') ?? '',
        body: await answer.text(),
      };
    };
    return { cookie, get, post, upload };
  };
  return { url, said, ann: await as(tokens.ann), vic: await as(tokens.vic) };
}

type Set = Awaited<ReturnType<typeof setConsoleJobs>>;

/** Waits until a page shows the text. */
export async function shows(get: Set['ann']['get'], path: string, text: RegExp | string): Promise<Answer> {
  let answer: Answer | undefined;
  await expect
    .poll(
      async () => {
        answer = await get(path);
        return answer.body;
      },
      { interval: 100 },
    )
    .toMatch(text);
  return answer as Answer;
}

/** The files of plans on disk. */
export function plansOf({ folder }: Set): string[] {
  const plans = `${folder.path}/state/console/plans`;
  return existsSync(plans) ? readdirSync(plans) : [];
}
