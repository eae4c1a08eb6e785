/** The demo: applies a file of updates in the sandbox, shows how it goes, and sums up. */
import { setTimeout as sleep } from 'node:timers/promises';
import cliProgress from 'cli-progress';
import { CommandError, type CommandIo, exitCodes } from '../cli/io.ts';
import type { Assembly } from '../commands/assemble.ts';
import type { Config } from '../config.ts';
import { createProgress } from '../enqueue/progress.ts';
import { enqueue } from '../enqueue/run.ts';
import type { Report } from '../enqueue/summary.ts';
import { EnqueueFailure, InputFault } from '../input/faults.ts';
import type { Counts } from '../observe/summary.ts';
import { createSqsClient } from '../queue/client.ts';
import { Queue } from '../queue/queue.ts';
import { systemClock } from '../time/clock.ts';
import type { WorkerListener } from '../worker/events.ts';
import type { Cloud } from './cloud.ts';

export interface DemoOptions {
  readonly cloud: Cloud;
  readonly file: string;
  readonly io: CommandIo;
  /** Makes the worker, with one more listener. */
  readonly start: (listener: WorkerListener) => Assembly & { readonly config: Config };
}

/** What another system, less careful than `enqueue`, might put on the queue. */
const strayBodies = [
  'hello',
  '{"Identifier":"strayTask1","TaskConfigurationID":"cfgB7"}',
  '{"Identifier":"strayTask2"}',
  '{"Type":"Notification","Message":"{\\"Identifier\\":\\"strayTask3\\",\\"Description\\":\\"sent through SNS\\"}"}',
];

/** Runs the demo to its end; answers the exit code. */
export async function runDemo({ cloud, file, io, start }: DemoOptions): Promise<number> {
  const interrupted = new AbortController();
  const done = Promise.withResolvers<void>();
  let expected = Number.POSITIVE_INFINITY;
  let firstCallAt: number | undefined;
  let lastEndAt = 0;
  const settledCount = (): number => counts.applied + counts.superseded + counts.deadLettered;
  const { worker, counts, config, close } = start((event) => {
    if (event.type === 'attempt') firstCallAt ??= systemClock.monotonic();
    if (event.type !== 'settled') return;
    lastEndAt = systemClock.monotonic();
    if (settledCount() >= expected) done.resolve();
  });
  const off = io.onSignal(() => {
    interrupted.abort();
    done.resolve();
  });
  const startedAt = systemClock.monotonic();
  const report = await fill(cloud, file, io, interrupted.signal);
  expected = report.sent + strayBodies.length;
  io.stderr.write(
    `${report.rows} rows read, ${report.refused} refused before sending, ${expected} messages on the queue ` +
      `(${strayBodies.length} of them strays that no one checked)\n`,
  );
  await worker.start();
  const stopProgress = showProgress(io, expected, settledCount, counts);
  if (settledCount() >= expected) done.resolve();
  await done.promise;
  stopProgress();
  await worker.stop();
  await close();
  off();
  const seconds = (lastEndAt - (firstCallAt ?? lastEndAt)) / 1_000;
  const totalSeconds = (systemClock.monotonic() - startedAt) / 1_000;
  io.stdout.write(summary({ cloud, counts, config, report, seconds, totalSeconds }));
  return interrupted.signal.aborted ? exitCodes.interrupted : exitCodes.done;
}

async function fill(cloud: Cloud, file: string, io: CommandIo, signal: AbortSignal): Promise<Report> {
  const client = createSqsClient(10, { ...cloud.client, endpoint: cloud.sqsUrl });
  const queue = new Queue(client, cloud.queueUrl);
  try {
    await queue.send(strayBodies.map((body, i) => ({ key: String(i), body })));
    return await enqueue(
      { file, format: undefined, set: {}, queueUrl: cloud.queueUrl, dryRun: false, fromLine: 1 },
      {
        stdin: io.stdin,
        cwd: process.cwd(),
        clock: systemClock,
        random: Math.random,
        sleep: (ms, abort) => sleep(ms, undefined, { signal: abort }).catch(() => undefined),
        signal,
        send: (messages) => queue.send(messages),
        progress: createProgress(io.stderr, io.isTerminal),
      },
    );
  } catch (error) {
    if (error instanceof InputFault) throw new CommandError(error.message, exitCodes.misuse);
    if (error instanceof EnqueueFailure) throw new CommandError(error.message);
    throw error;
  } finally {
    client.destroy();
  }
}

/** A bar on a terminal, a line every two seconds elsewhere. */
function showProgress(io: CommandIo, total: number, settled: () => number, counts: Counts): () => void {
  const numbers = (): string =>
    `applied ${counts.applied}, dead-lettered ${counts.deadLettered}, calls ${counts.calls}, throttled ${counts.throttled}`;
  if (!io.isTerminal) {
    const timer = setInterval(() => io.stderr.write(`${settled()}/${total}: ${numbers()}\n`), 2_000);
    return () => clearInterval(timer);
  }
  const bar = new cliProgress.SingleBar({
    stream: io.stderr,
    format: '[{bar}] {percentage}% | {numbers}',
    barsize: 30,
  });
  bar.start(total, 0, { numbers: numbers() });
  const timer = setInterval(() => bar.update(settled(), { numbers: numbers() }), 100);
  return () => {
    clearInterval(timer);
    bar.update(settled(), { numbers: numbers() });
    bar.stop();
  };
}

interface SummaryFacts {
  readonly cloud: Cloud;
  readonly counts: Counts;
  readonly config: Config;
  readonly report: Report;
  /** From the first call to the last settlement. */
  readonly seconds: number;
  readonly totalSeconds: number;
}

function summary({ cloud, counts, config, report, seconds, totalSeconds }: SummaryFacts): string {
  const { throttled, byStatus } = cloud.api.stats();
  const reasons = Object.entries(counts.deadLetteredByReason).map(
    ([reason, count]) => `    ${reason.padEnd(18)}${count}`,
  );
  const statuses = Object.entries(byStatus).map(([status, count]) => `${status}: ${count}`);
  return [
    '',
    `applied             ${counts.applied}`,
    ...(counts.superseded > 0 ? [`superseded          ${counts.superseded}`] : []),
    `dead-lettered       ${counts.deadLettered}`,
    ...reasons,
    `refused by enqueue  ${report.refused}${report.refusedFile === undefined ? '' : ` (see ${report.refusedFile})`}`,
    `calls               ${counts.calls} (answers: ${statuses.join(', ')})`,
    `429s                ${throttled}`,
    `rate held           ${(counts.calls / seconds).toFixed(1)} calls/s of ${config.rateLimit} allowed by RATE_LIMIT, for ${seconds.toFixed(1)} s`,
    `time in all         ${totalSeconds.toFixed(1)} s`,
    '',
    'Look further:',
    '  npm run -s ota -- sandbox                     the same, open-ended, with the commands to use it',
    '  LOG_LEVEL=info npm run demo                   with every failed call and dead letter in the log',
    '  npm run -s ota -- enqueue --help              put your own file on a queue',
    '',
  ].join('\n');
}
