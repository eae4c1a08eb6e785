/** `sandbox`: SQS emulator, simulated API and worker in one process; with `--demo` it applies a file and ends. */
import { randomUUID } from 'node:crypto';
import type { Writable } from 'node:stream';
import { type Command, Option } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { stopOnSignal } from '../../cli/signals.ts';
import { type Assembly, assemble } from '../../commands/assemble.ts';
import { listen } from '../../commands/worker.ts';
import { type Config, type Environment, readConfig } from '../../config.ts';
import { CommandError, causeOf } from '../../errors.ts';
import { LogDestination } from '../../observe/log-destination.ts';
import { createLogger } from '../../observe/logger.ts';
import { logFormat } from '../../observe/readable.ts';
import { logSummaries } from '../../observe/summary.ts';
import { type Cloud, startCloud } from '../cloud.ts';
import type { SimulatedApiSettingsInput } from '../simulated-api/index.ts';
import { type ApiLimit, readLimit } from './api-limit.ts';
import { runDemo } from './demo.ts';
import { directions } from './directions.ts';
import { readDeviceFailures, readDevices, readFaults, readLatency, readPort } from './flags.ts';
import { showLive } from './live.ts';
import { makePlace } from './place.ts';

interface Flags {
  /** All words of the command, without the program's own flags. */
  readonly words: readonly string[];
  readonly host: string;
  readonly sqsPort: number;
  readonly apiPort: number;
  readonly worker: boolean;
  readonly console: boolean;
  readonly consolePort: number;
  readonly demo?: string;
  readonly open?: boolean;
  readonly apiLimit: ApiLimit;
  readonly apiLatency: { minMs: number; maxMs: number };
  readonly apiFaults: Readonly<Record<string, number>>;
  readonly devices: number;
  readonly deviceFailures: ReturnType<typeof readDeviceFailures>;
  readonly refuseUnknownConfigs?: boolean;
}

/** Defaults of the sandbox's worker; the environment overrides them. */
const workerDefaults = { RATE_LIMIT: '400', CALL_TIMEOUT_MS: '2000', HTTP_PORT: '0', LOG_LEVEL: 'warn' };

/** Log lines would break the progress display of the demo. */
const demoDefaults = { LOG_LEVEL: 'silent' };

export function configureSandbox(command: Command, context: CommandContext): void {
  command
    .description(
      'Starts an SQS emulator, a simulated API, a worker and the console in this process. Tasks whose Identifier begins with ' +
        '"unknown" do not exist there, nor do such task configurations; updates of those that begin with "denied" are ' +
        'denied. Until it ends, a file in STATE_DIR holds its variables for other commands (--env-file).',
    )
    .option('--demo <file>', 'apply this file of updates, print a summary and end')
    .option('--open', 'with --demo: keep running after it, with the console')
    .option('--no-worker', 'start no worker')
    .option('--no-console', 'start no console')
    .addOption(new Option('--outcomes', 'as it always is').hideHelp())
    .option('--host <address>', 'address that the emulators listen on', '127.0.0.1')
    .option('--sqs-port <port>', 'port of the SQS emulator; 0 picks one', readPort, 0)
    .option('--console-port <port>', 'port of the console; 0 picks one', readPort, 0)
    .option('--api-port <port>', 'port of the simulated API; 0 picks one', readPort, 0)
    .addOption(
      new Option(
        '--api-limit <limit>',
        "the API's limit: calls per second and burst (200:20), also refilled in ticks (200:200@tick=1s); calls " +
          'in each period (600/60s) or in any (600/60s@sliding); calls in flight (50@in-flight); a part for each ' +
          'front end, whether calls come to any (200:100@front-ends=10) or each connection stays at one ' +
          '(200:100@front-ends=10,sticky); several at once (200+50@in-flight); or unlimited',
      )
        .argParser(readLimit)
        .default(readLimit('200:20'), '200:20'),
    )
    .addOption(
      new Option('--api-latency <min-max>', "the API's latency in milliseconds")
        .argParser(readLatency)
        .default(readLatency('20-80'), '20-80'),
    )
    .option(
      '--api-faults <list>',
      'faults as shares of calls: internalError=0.01,reset=0.005,hang=0.001',
      readFaults,
      {},
    )
    .option('--devices <n>', 'devices behind each task', readDevices, 10)
    .addOption(
      new Option(
        '--device-failures <list>',
        'task configurations with which a share of devices fails, and how long after the update: cfgB7=0.06@30s',
      )
        .argParser(readDeviceFailures)
        .default([], 'none'),
    )
    .option('--refuse-unknown-configs', 'the API refuses updates to a task configuration that does not exist')
    .action(async (options: Omit<Flags, 'words'>, { parent }: Command) => {
      const flags = { ...options, words: parent?.args ?? [] };
      const token = context.env.SANDBOX_TOKEN ?? randomUUID();
      const cloud = await startCloud({ ...flags, token, api: apiSettings(flags) }).catch((error: unknown) => {
        throw new CommandError(`cannot start the sandbox${placeOf(error)}: ${causeOf(error)}`);
      });
      try {
        await run(cloud, flags, token, context);
      } finally {
        await cloud.close();
      }
    });
}

/** The place where a listener could not be opened, for the error sentence. */
function placeOf(error: unknown): string {
  const { address, port } = error as { readonly address?: unknown; readonly port?: unknown };
  return typeof address === 'string' ? ` at ${address}${port === undefined ? '' : `:${port}`}` : '';
}

async function run(cloud: Cloud, flags: Flags, token: string, context: CommandContext): Promise<void> {
  if (flags.demo !== undefined && flags.open !== true) {
    context.exitCode = await runDemo({
      cloud,
      file: flags.demo,
      words: flags.words,
      context,
      start: (listener) =>
        start(cloud, { ...demoDefaults, ...context.env }, context.stderr, undefined, [listener]),
    });
    return;
  }
  const place = makePlace(context.cwd, readConfig(context.env, ['stateDir']).stateDir);
  const variables = {
    ...variablesOf(cloud),
    ...((flags.worker || flags.demo !== undefined) && { RATE_LIMIT: rateLimitOf(context.env) }),
    ...('stateDir' in place && { STATE_DIR: place.stateDir }),
  };
  const stage = { cloud, flags, token, place, variables, context };
  try {
    if (flags.demo !== undefined) await demonstrate(flags.demo, stage);
    else if (flags.worker) await work(stage);
    else
      await tell(stage, undefined, false, async () => {
        await stopOnSignal(context, async () => {});
      });
  } finally {
    if ('clear' in place) place.clear();
  }
}

/** What a sandbox that keeps running was set up with. */
interface Stage {
  readonly cloud: Cloud;
  readonly flags: Flags;
  readonly token: string;
  readonly place: ReturnType<typeof makePlace>;
  readonly variables: Readonly<Record<string, string>>;
  readonly context: CommandContext;
}

/** Starts the console and prints how to use the sandbox, then runs `work`. @param healthUrl of the worker, if there is one. */
async function tell(
  { cloud, flags, token, place, variables, context }: Stage,
  healthUrl: string | undefined,
  logsToFile: boolean,
  work: () => Promise<void>,
): Promise<void> {
  const all = { ...variables, ...(healthUrl !== undefined && { WORKER_URLS: healthUrl }) };
  const served =
    flags.console && 'stateDir' in place
      ? await (await import('./console.ts')).startConsole(
          { variables: all, host: flags.host, port: flags.consolePort, token },
          context,
        )
      : undefined;
  try {
    const facts = { variables: all, place, healthUrl, logsToFile, apiUrl: cloud.api.url, token };
    context.stderr.write(directions({ ...facts, console: served?.lines ?? [] }, context.commandLine));
    await work();
  } finally {
    await served?.close();
  }
}

/** Applies a file as the demo does, and keeps running until a signal. */
async function demonstrate(file: string, stage: Stage): Promise<void> {
  const { cloud, context, flags } = stage;
  const env = { ...demoDefaults, ...context.env };
  context.exitCode = await runDemo({
    cloud,
    file,
    words: flags.words,
    context,
    start: (listener) => start(cloud, env, context.stderr, cloud.outcomeQueueUrl, [listener]),
    around: async ({ http, config }, demo) => {
      const healthUrl =
        config.httpPort === undefined ? undefined : await listen(http, config.httpHost, config.httpPort);
      await tell(stage, healthUrl, false, demo);
    },
  });
}

/** Runs the worker until a signal. On a terminal, its log would overwrite the status line. */
async function work(stage: Stage): Promise<void> {
  const { cloud, place, context } = stage;
  const logsToFile = context.isTerminal && 'openLog' in place;
  const stream = logsToFile ? await place.openLog() : context.stderr;
  const { worker, counts, config, log, http, followLimits, close } = start(
    cloud,
    context.env,
    stream,
    cloud.outcomeQueueUrl,
  );
  try {
    const healthUrl =
      config.httpPort === undefined ? undefined : await listen(http, config.httpHost, config.httpPort);
    const stopped = stopOnSignal(context, () => worker.stop());
    const stopSummaries = logSummaries(log, counts, () => worker.snapshot());
    await followLimits();
    await worker.start();
    await tell(stage, healthUrl, logsToFile, async () => {
      const hide = logsToFile ? showLive(context, () => worker.snapshot()) : () => {};
      await stopped.finally(hide);
    });
    stopSummaries();
  } finally {
    await close();
  }
}

function start(
  cloud: Cloud,
  env: Environment,
  logStream: Writable & { readonly isTTY?: boolean },
  outcomeQueueUrl: string | undefined,
  listeners: Parameters<typeof assemble>[0]['listeners'] = [],
) {
  const config: Config = readConfig({
    ...workerDefaults,
    ...env,
    QUEUE_URL: cloud.queueUrl,
    DEAD_LETTER_QUEUE_URL: cloud.deadLetterQueueUrl,
    OUTCOME_QUEUE_URL: outcomeQueueUrl,
  });
  const log = createLogger(config.logLevel, logFormat(new LogDestination(logStream), logStream, env));
  const assembly: Assembly = assemble({
    config,
    env: {},
    log,
    listeners,
    sqs: { ...cloud.client, endpoint: cloud.sqsUrl },
    api: { ...cloud.client, endpoint: cloud.api.url },
  });
  return { ...assembly, config, log };
}

/** The worker's rate limit, for commands that estimate durations. */
function rateLimitOf({ RATE_LIMIT }: Environment): string {
  return RATE_LIMIT ?? workerDefaults.RATE_LIMIT;
}

/** The variables with which another process can use the sandbox. */
function variablesOf(cloud: Cloud): Readonly<Record<string, string>> {
  return {
    QUEUE_URL: cloud.queueUrl,
    DEAD_LETTER_QUEUE_URL: cloud.deadLetterQueueUrl,
    OUTCOME_QUEUE_URL: cloud.outcomeQueueUrl,
    AWS_ENDPOINT_URL_SQS: cloud.sqsUrl,
    AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS: cloud.api.url,
    AWS_REGION: String(cloud.client.region),
    AWS_ACCESS_KEY_ID: 'sandbox',
    AWS_SECRET_ACCESS_KEY: 'sandbox',
  };
}

function apiSettings({ apiLimit, apiLatency, apiFaults, ...flags }: Flags): SimulatedApiSettingsInput {
  return {
    limit: apiLimit === 'unlimited' ? null : apiLimit,
    latency: apiLatency,
    faults: apiFaults,
    tasks: { kind: 'all', exceptPrefix: 'unknown' },
    denied: { prefix: 'denied' },
    configurations: { kind: 'all', exceptPrefix: 'unknown' },
    refuseUnknownConfigurations: flags.refuseUnknownConfigs === true,
    devices: { perTask: flags.devices, failures: [...flags.deviceFailures] },
  };
}
