/** A stage for bulk jobs, and their commands run against it in this process. */
import { onTestFinished } from 'vitest';
import { configureJobs } from '../../src/jobs/commands/index.ts';
import type { SimulatedApiSettingsInput } from '../../src/sandbox/simulated-api/index.ts';
import { type Clock, sleep, systemClock } from '../../src/time/clock.ts';
import { JobsFolder, type JobsRun, useApi } from './jobs.ts';
import { type StageOptions, setStage } from './stage.ts';

interface Standing {
  readonly rows: number;
  readonly applied: number;
  readonly failed: number;
  readonly inFlight: number;
  readonly notSent: number;
  readonly reconciled: number;
  readonly stopped: string | null;
}

interface StageRun extends Pick<JobsRun, 'interrupt' | 'env' | 'stdin' | 'terminal'> {
  readonly clock?: Clock;
  readonly random?: () => number;
  /** Default: real waits. */
  readonly sleep?: JobsSleep;
  /** Default: the folder of plans. */
  readonly cwd?: string;
}

type JobsSleep = (ms: number, signal: AbortSignal) => Promise<void>;

/** A stage with a folder of plans; the test starts the worker if it needs one. */
export async function setJobs(api: SimulatedApiSettingsInput = {}, options: StageOptions = {}) {
  const stage = await setStage({ outcomes: true, api, ...options });
  onTestFinished(() => stage.strike());
  useApi(stage.api);
  const folder = new JobsFolder();
  const env = stage.environment({ STATE_DIR: `${folder.path}/state`, AWS_ENDPOINT_URL_SQS: undefined });
  const run = (
    args: readonly string[],
    {
      env: more,
      clock = systemClock,
      random = Math.random,
      sleep: wait = sleep,
      cwd = folder.path,
      ...rest
    }: StageRun = {},
  ) =>
    folder.run(configureJobs, args, {
      env: { ...env, ...more },
      context: { clock, sleep: wait, random, cwd },
      ...rest,
    });
  const standing = async (args: readonly string[], options?: StageRun) => {
    const ran = await run([...args, '--json'], options);
    return { ...ran, json: JSON.parse(ran.stdout || '{}') as Standing };
  };
  const plan = async (identifiers: readonly string[], jobId = 'j', ...flags: readonly string[]) => {
    folder.file(
      'rows.csv',
      `Identifier,TaskConfigurationId\n${identifiers.map((id) => `${id},new\n`).join('')}`,
    );
    await run(['plan', 'rows.csv', '--job', jobId, '--out', `${jobId}.jsonl`, ...flags]);
  };
  const ids = (count: number, prefix = 'task') => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
  return { stage, folder, env, run, standing, plan, ids };
}
