/** The demo: applies a file of updates in the sandbox, with progress and a summary. */
import type { CommandContext } from '../../cli/context.ts';
import { interruptible } from '../../cli/signals.ts';
import type { Assembly } from '../../commands/assemble.ts';
import type { Config, Environment } from '../../config.ts';
import { enqueue } from '../../enqueue/run.ts';
import type { Report } from '../../enqueue/summary.ts';
import { exitCodes } from '../../errors.ts';
import { createSqsClient } from '../../queue/client.ts';
import { Queue } from '../../queue/queue.ts';
import { createScreen } from '../../text/live-block.ts';
import { bar, createProgress } from '../../text/progress.ts';
import type { CommandLine } from '../../text/shell.ts';
import type { Counts } from '../../worker/activity.ts';
import type { WorkerListener } from '../../worker/events.ts';
import type { Cloud } from '../cloud.ts';

export interface DemoOptions {
  readonly cloud: Cloud;
  readonly file: string;
  /** The words after the program's name with which the demo was started. */
  readonly words: readonly string[];
  readonly context: CommandContext;
  /** Creates the worker, with one more listener. */
  readonly start: (listener: WorkerListener) => DemoWorker;
  /** Runs the demo inside surroundings that continue after it until a signal. */
  readonly around?: (worker: DemoWorker, demo: () => Promise<void>) => Promise<void>;
}

type DemoWorker = Assembly & { readonly config: Config };

/** Bodies from producers that do not validate: three are invalid, one comes through SNS. */
const uncheckedBodies = [
  'hello',
  '{"Identifier":"strayTask1","TaskConfigurationID":"cfgB7"}',
  '{"Identifier":"strayTask2"}',
  '{"Type":"Notification","Message":"{\\"Identifier\\":\\"strayTask3\\",\\"Description\\":\\"sent through SNS\\"}"}',
];

/** @returns the exit code. */
export function runDemo(options: DemoOptions): Promise<number> {
  return interruptible(options.context, (signal) => run(options, signal));
}

async function run(options: DemoOptions, signal: AbortSignal): Promise<number> {
  const { context, start, around } = options;
  const done = Promise.withResolvers<void>();
  const seen = {
    expected: Number.POSITIVE_INFINITY,
    firstCallAt: undefined as number | undefined,
    lastEndAt: 0,
  };
  const settledCount = (): number => counts.applied + counts.superseded + counts.deadLettered;
  const now = context.clock.monotonic;
  const started = start((event) => {
    if (event.type === 'attempt') seen.firstCallAt ??= now();
    if (event.type !== 'settled') return;
    seen.lastEndAt = now();
    if (settledCount() >= seen.expected) done.resolve();
  });
  const { worker, counts, config, close } = started;
  const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  const apply = async (): Promise<number> => {
    const startedAt = now();
    const report = await fill(options.cloud, options.file, context, signal);
    seen.expected = report.sent + uncheckedBodies.length;
    context.stderr.write(
      `${report.rows} rows read, ${report.refused} refused before sending, ${seen.expected} messages on the queue ` +
        `(${uncheckedBodies.length} of them from producers that do not validate)\n`,
    );
    await worker.start();
    const stopProgress = showProgress(context, seen.expected, settledCount, counts);
    if (settledCount() >= seen.expected) done.resolve();
    await Promise.race([done.promise, stopped]);
    stopProgress();
    if (around === undefined) await worker.stop();
    const seconds = (seen.lastEndAt - (seen.firstCallAt ?? seen.lastEndAt)) / 1_000;
    const totalSeconds = (now() - startedAt) / 1_000;
    const goesOn = around !== undefined;
    const facts = { ...options, ...context, counts, config, report, seconds, totalSeconds, goesOn };
    context.stdout.write(summary(facts));
    return signal.aborted ? exitCodes.interrupted : exitCodes.done;
  };
  try {
    if (around === undefined) return await apply();
    let exitCode: number = exitCodes.done;
    await around(started, async () => {
      exitCode = await apply();
      if (!signal.aborted) await stopped;
    });
    return exitCode;
  } finally {
    await worker.stop();
    await close();
  }
}

async function fill(
  cloud: Cloud,
  file: string,
  context: CommandContext,
  signal: AbortSignal,
): Promise<Report> {
  const client = createSqsClient(10, { ...cloud.client, endpoint: cloud.sqsUrl });
  const queue = new Queue(client, cloud.queueUrl);
  try {
    await queue.send(uncheckedBodies.map((body, i) => ({ key: String(i), body })));
    return await enqueue(
      {
        file,
        format: undefined,
        set: {},
        queueUrl: cloud.queueUrl,
        dryRun: false,
        fromLine: 1,
      },
      {
        ...context,
        signal,
        send: (messages) => queue.sendForIds(messages),
        progress: createProgress(context),
        // The sandbox uses this machine's clock.
        checkClock: async () => {},
      },
    );
  } finally {
    client.destroy();
  }
}

/**
 * A progress bar on a terminal, otherwise a line every two seconds.
 * @returns a function that ends it.
 */
function showProgress(
  { stderr, isTerminal, clock }: CommandContext,
  total: number,
  settled: () => number,
  counts: Counts,
): () => void {
  const numbers = (): string =>
    `applied ${counts.applied}, dead-lettered ${counts.deadLettered}, calls ${counts.calls}, throttled ${counts.throttled}`;
  const screen = createScreen<undefined>({
    stream: stderr,
    isTerminal,
    now: clock.monotonic,
    block: () => [`${bar(settled() / total, 30)} ${numbers()}`],
    line: () => `${settled()}/${total}: ${numbers()}`,
    lineMs: 2_000,
  });
  const timer = setInterval(() => screen.update(undefined), 200);
  return () => {
    clearInterval(timer);
    screen.stop();
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
  readonly env: Environment;
  readonly commandLine: CommandLine;
  readonly words: readonly string[];
  /** The sandbox continues until a signal. */
  readonly goesOn: boolean;
}

function summary({
  cloud,
  counts,
  config,
  report,
  seconds,
  totalSeconds,
  env,
  commandLine,
  words,
  goesOn,
}: SummaryFacts): string {
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
    `rate                ${(counts.calls / seconds).toFixed(1)} calls/s of ${config.rateLimit} allowed by RATE_LIMIT, for ${seconds.toFixed(1)} s`,
    `total time          ${totalSeconds.toFixed(1)} s`,
    '',
    ...(goesOn ? ['The sandbox and its console keep running. Ctrl-C ends them.', ''] : []),
    'Next:',
    ...(goesOn
      ? []
      : [
          '  # the same, but keeps running: the console shows it in a browser',
          `  ${commandLine(...words, '--open')}`,
          '  # keeps running, and says how to use it',
          `  ${commandLine('sandbox')}`,
        ]),
    // A command that starts a container would not pass the variable on.
    ...(env.OTA_UPDATER_COMMAND === undefined
      ? ['  # logs every call and every dead letter', `  LOG_LEVEL=debug ${commandLine(...words)}`]
      : []),
    '  # sends your own file',
    `  ${commandLine('enqueue', '--help')}`,
    '',
  ].join('\n');
}
