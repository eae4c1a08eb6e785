/** `worker`: runs until SIGTERM or SIGINT. */
import { randomUUID } from 'node:crypto';
import type { Server } from 'node:net';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { proxyOf } from '../aws/proxy.ts';
import type { CommandContext } from '../cli/context.ts';
import { stopOnSignal } from '../cli/signals.ts';
import { type Config, type Environment, readConfigForAws } from '../config.ts';
import { CommandError, causeOf, misuse } from '../errors.ts';
import { publishEmf } from '../observe/emf/publish.ts';
import { liveness } from '../observe/health.ts';
import { LogDestination } from '../observe/log-destination.ts';
import { writeLine } from '../observe/log-events.ts';
import { logLines } from '../observe/log-lines.ts';
import { createLogger, type Logger } from '../observe/logger.ts';
import { logFormat } from '../observe/readable.ts';
import { logSummaries } from '../observe/summary.ts';
import { printableUrl } from '../text/urls.ts';
import { SameQueueError } from '../worker/receive/queue-facts.ts';
import { type Assembly, assemble } from './assemble.ts';
import { answerHealth } from './health-socket.ts';
import { recallRate } from './rate.ts';
import { traceWorker } from './tracing.ts';

/** The command ends with exit code 0 after a drain. */
export function configureWorker(command: Command, context: CommandContext): void {
  command
    .description(
      'Consumes updates from the queue and applies them until SIGTERM or SIGINT. Configured by environment ' +
        'variables (docs/reference/configuration.md).',
    )
    .action(async () => {
      context.stdoutIsLog = true;
      const config = readConfigForAws(context.env);
      const destination = new LogDestination(context.stdout, (count) => {
        writeLine(log, logLines.linesLost, () => ({ count }));
      });
      const log: Logger = createLogger(config.logLevel, logFormat(destination, context.stdout, context.env));
      logProxy(log, context.env);
      const folder = resolve(context.cwd, config.stateDir);
      const { env, clock } = context;
      const tracing = traceWorker(config, { env, clock, log });
      const assembling = Promise.all([recallRate(config, env, folder, clock.wall(), log), tracing]).then(
        ([rateKept, telemetry]) => assemble({ config, env, log, rateKept, tracing: telemetry?.tracing }),
      );
      let stoppedAt = clock.monotonic();
      // Before any await: a signal that came while the program loaded is kept only until then.
      const stopped = stopOnSignal(context, async () => {
        stoppedAt = clock.monotonic();
        const assembled = await assembling.catch(() => undefined);
        assembled?.rateKeeper?.stop();
        await assembled?.worker.stop();
      });
      const assembly = await assembling;
      try {
        await run(assembly, { config, log, destination, now: context.clock.wall }, stopped);
      } finally {
        // Also if part of the start failed: resources that are already open would keep the process alive.
        await assembly.close();
        const leftMs = config.shutdownGraceSeconds * 1_000 - (clock.monotonic() - stoppedAt) - LINGER_MS;
        await (await tracing)?.close(Math.max(LEAST_SPANS_MS, Math.min(SPANS_MS, leftMs)));
      }
      // A request that SQS never answers, or a log that nobody reads, must not outlive the grace period.
      setTimeout(() => context.exitNow(context.exitCode), LINGER_MS).unref();
    });
}

/**
 * Time to send the last spans, in milliseconds: at most SPANS_MS within the grace period, and at least
 * LEAST_SPANS_MS.
 */
const SPANS_MS = 2_000;
const LEAST_SPANS_MS = 50;
/** Time to write the last lines of the log, in milliseconds. */
const LINGER_MS = 200;

interface Surroundings {
  readonly config: Config;
  readonly log: Logger;
  /** Where the log goes. */
  readonly destination: LogDestination;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

async function run(
  { worker, counts, http, registry, followLimits, rateKeeper }: Assembly,
  { config, log, destination, now }: Surroundings,
  stopped: Promise<void>,
): Promise<void> {
  if (config.httpPort !== undefined) {
    const address = await listen(http, config.httpHost, config.httpPort);
    writeLine(log, logLines.httpListening, () => ({ address }));
  }
  const healthSocket = await openHealthSocket(worker, log);
  const stopSummaries = logSummaries(log, counts, () => worker.snapshot());
  const { queueUrl } = config;
  const stopEmf = config.metrics === 'emf' ? publishEmf({ registry, queueUrl, destination, now }) : undefined;
  try {
    await followLimits();
    await worker.start();
    rateKeeper?.start();
  } catch (error) {
    healthSocket?.close();
    await worker.stop();
    throw error instanceof SameQueueError ? misuse(error.message) : error;
  }
  await stopped;
  healthSocket?.close();
  stopSummaries();
  await stopEmf?.();
}

/** Opens the socket for a container's health check. If that is impossible, the worker runs without. */
async function openHealthSocket(worker: Assembly['worker'], log: Logger): Promise<Server | undefined> {
  try {
    return await answerHealth(randomUUID(), () => liveness(worker.snapshot()).reasons);
  } catch (error) {
    writeLine(log, logLines.healthUnavailable, () => ({ error: causeOf(error) }));
    return undefined;
  }
}

function logProxy(log: Logger, env: Environment): void {
  const proxy = proxyOf(env);
  if (proxy === undefined) return;
  const { HTTP_PROXY, HTTPS_PROXY, NO_PROXY: noProxy } = proxy;
  writeLine(log, logLines.proxyUsed, () => ({
    httpProxy: HTTP_PROXY && printableUrl(HTTP_PROXY),
    httpsProxy: HTTPS_PROXY && printableUrl(HTTPS_PROXY),
    noProxy,
  }));
}

/** Serves health and metrics. @returns the URL. @throws CommandError if it cannot listen. */
export async function listen(http: Assembly['http'], host: string, port: number): Promise<string> {
  try {
    return await http.listen({ host, port });
  } catch (error) {
    throw new CommandError(`cannot listen on HTTP_HOST ${host}, HTTP_PORT ${port}: ${causeOf(error)}`);
  }
}
