/**
 * Measures what a worker costs on AWS for a million updates: requests to SQS, log volume, CPU; and the requests of a
 * bulk job. docs/aws-in-ten-minutes.md multiplies the figures by prices.
 *
 *   npm run prove-costs
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startOta } from '../testing/processes/ota.ts';
import { cpuMs } from '../testing/processes/proc.ts';
import { type SqsRequest, startSqsProxy } from '../testing/sqs/proxy.ts';
import { setStage } from '../testing/stages/stage.ts';

interface EmfLine {
  readonly _aws: {
    readonly CloudWatchMetrics: readonly { readonly Metrics: readonly { readonly Name: string }[] }[];
  };
}

interface Case {
  readonly what: string;
  readonly rate: string;
  readonly updates: number;
  readonly outcomes: boolean;
  /** The updates are a bulk job, sent next to the worker. */
  readonly job?: boolean;
}

const cases: readonly Case[] = [
  { what: 'backlog, 10/s', rate: '10', updates: 600, outcomes: false },
  { what: 'backlog, 200/s', rate: '200', updates: 8_000, outcomes: false },
  { what: 'backlog, 200/s, with outcomes', rate: '200', updates: 8_000, outcomes: true },
  { what: 'bulk job, 200/s', rate: '200', updates: 8_000, outcomes: true, job: true },
];
const MILLION = 1_000_000;

async function measure({ what, rate, updates, outcomes, job = false }: Case): Promise<void> {
  const stage = await setStage({ outcomes });
  const proxy = await startSqsProxy(stage.sqsUrl);
  const folder = mkdtempSync(join(tmpdir(), 'costs-'));
  const url = (name: string): string => `${proxy.url}/000000000000/${name}`;
  const env = stage.environment({
    QUEUE_URL: url('updates'),
    DEAD_LETTER_QUEUE_URL: url('dead'),
    ...(outcomes && { OUTCOME_QUEUE_URL: url('outcomes') }),
    AWS_ENDPOINT_URL_SQS: undefined,
    RATE_LIMIT: rate,
    METRICS: 'emf',
    STATE_DIR: folder,
  });
  const identifiers = Array.from({ length: updates }, (_, i) => `task${i}`);
  if (!job) await stage.send(...identifiers.map((Identifier) => ({ Identifier, Description: 'Roll-out 7' })));
  const worker = startOta(['worker'], { env, keepOutput: true });
  if (job) {
    writeFileSync(
      join(folder, 'rows.csv'),
      `Identifier,Description\n${identifiers.map((id) => `${id},Roll-out 7\n`).join('')}`,
    );
    for (const args of [
      ['plan', 'rows.csv', '--job', 'j', '--out', 'j.plan'],
      ['apply', 'j.plan', '--yes'],
    ]) {
      const { code } = await startOta(['jobs', ...args], { env, cwd: folder }).exited;
      if (code !== 0) throw new Error(`jobs ${args[0]} ended with ${code}`);
    }
  } else await proxy.waitFor(() => deleted(proxy.requests) >= updates);
  const cpu = cpuMs(worker.process.pid ?? 0);
  worker.signal('SIGTERM');
  await worker.exited;
  const metrics = new Set(
    worker.output.stdout
      .split('\n')
      .filter((line) => line.startsWith('{"_aws"'))
      .flatMap((line) => (JSON.parse(line) as EmfLine)._aws.CloudWatchMetrics)
      .flatMap((directive) => directive.Metrics.map(({ Name }) => Name)),
  );
  const per = (count: number): string => (count / updates).toFixed(3);
  const counts = Object.entries(Object.groupBy(proxy.requests, ({ action, queue }) => `${action} ${queue}`));
  process.stdout.write(
    `${what}: ${per(proxy.requests.length)} SQS requests, ${(worker.output.stdout.length / updates).toFixed(1)} bytes of log and ${(cpu / updates).toFixed(2)} ms of CPU per update; ${metrics.size} metrics in CloudWatch\n` +
      `${counts.map(([name, all = []]) => `  ${name}  ${Math.round((all.length * MILLION) / updates).toLocaleString('en')} per million`).join('\n')}\n`,
  );
  await proxy.close();
  await stage.strike();
  rmSync(folder, { recursive: true });
}

function deleted(requests: readonly SqsRequest[]): number {
  return requests
    .filter(({ action }) => action === 'DeleteMessageBatch')
    .reduce((all, { input }) => all + (input.Entries as readonly unknown[]).length, 0);
}

for (const one of cases) await measure(one);
