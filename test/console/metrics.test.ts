/** Metrics of the console: how its ledger's jobs are, for Prometheus. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { metricsSection } from '../../src/console/metrics/section.ts';
import { PageError } from '../../src/console/pages/page-error.ts';
import type { Counts, PlannedJob } from '../../src/jobs/ledger/job.ts';
import { makeApiClient } from '../../testing/console/api-client.ts';
import { setConsoleJobs } from '../../testing/console/jobs.ts';
import { ask, serveConsole, tokens } from '../../testing/console/serve.ts';
import { installed } from '../../testing/installed.ts';

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

async function metricsOf(url: string): Promise<Record<string, number>> {
  const { status, body, headers } = await ask(`${url}/metrics`, bearer(tokens.vic));
  expect(status).toBe(200);
  expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
  return Object.fromEntries(
    [...body.matchAll(/^([a-z_]+(?:\{.*\})?) (.*)$/gm)].map(([, name, value]) => [name, Number(value)]),
  );
}

const counts = (inFlight: number, ended: number): Counts => ({
  total: 100,
  planned: 100 - inFlight - ended,
  inFlight,
  sending: 0,
  applied: ended,
  superseded: 0,
  failed: 0,
  notSent: 0,
  ended,
  endedByWorkers: ended,
  causes: [],
  calls: 0,
  callsOf: 0,
});

test('are for who may read', async () => {
  const url = await serveConsole({
    sections: [metricsSection({ use: () => Promise.reject(new PageError('away', 503)), now: () => 0 })],
  });
  // To where one signs in.
  expect((await ask(`${url}/metrics`)).status).toBe(303);
  expect((await ask(`${url}/metrics`, bearer('x'.repeat(30)))).status).toBe(401);
  expect((await ask(`${url}/metrics`, bearer(tokens.vic))).status).toBe(200);
});

test('tell of a job in a real ledger that nobody sends, as promtool takes them', async () => {
  const { url } = await setConsoleJobs({ send: false });
  expect(await metricsOf(url)).toMatchObject({
    ota_updater_ledger_up: 1,
    'ota_updater_jobs{state="running"}': 0,
  });
  const { call } = await makeApiClient(url, tokens.ann);
  const csv = 'Identifier,Description\ntask1,x\ntask2,x\n';
  await call('makePlan', { reason: 'a test', job: 'j' }, csv, { 'content-type': 'text/csv' });
  await expect.poll(async () => (await call('showPlan', { job: 'j' })).data).toMatchObject({ state: 'made' });
  expect(await call('applyPlan', { job: 'j' }, { reason: 'a test' })).toMatchObject({ status: 200 });
  expect(await metricsOf(url)).toMatchObject({
    'ota_updater_jobs{state="running"}': 1,
    ota_updater_jobs_unsent: 1,
    'ota_updater_job_rows{state="planned"}': 2,
    ota_updater_job_silence_seconds: 0,
  });
  if (installed(['promtool'], "the format of the console's metrics is not checked") === undefined) return;
  const { body } = await ask(`${url}/metrics`, bearer(tokens.vic));
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: body });
  expect(status, `${stdout}${stderr}`).toBe(0);
});

test('tell how long rows have been in flight without an end, and NaN while the ledger is away', async () => {
  let now = 0;
  let seen: Counts | undefined = counts(10, 0);
  const job = { key: 1, plan: { state: { name: 'running' } } } as unknown as PlannedJob;
  const url = await serveConsole({
    sections: [
      metricsSection({
        now: () => now,
        use: async (work) => {
          const all = seen;
          if (all === undefined) throw new PageError('the ledger cannot be read', 503);
          return await work({
            activeJobs: async () => [job],
            listed: async () => ({ job, counts: all, leased: true }),
          });
        },
      }),
    ],
  });
  const silence = async () => (await metricsOf(url)).ota_updater_job_silence_seconds;
  expect(await silence()).toBe(0);
  now = 700_000;
  expect(await silence()).toBe(700);
  seen = counts(9, 1);
  expect(await silence()).toBe(0);
  now = 900_000;
  seen = counts(0, 10);
  expect(await silence()).toBe(0);
  seen = undefined;
  expect(await metricsOf(url)).toMatchObject({
    ota_updater_ledger_up: 0,
    ota_updater_jobs_unsent: Number.NaN,
    'ota_updater_jobs{state="running"}': Number.NaN,
  });
});
