/** A worker's tracing, and what the log reports about it. */
import { randomUUID } from 'node:crypto';
import type { Config, Environment } from '../config.ts';
import { describeError } from '../observe/errors.ts';
import { writeLine } from '../observe/log-events.ts';
import { logLines } from '../observe/log-lines.ts';
import type { Logger } from '../observe/logger.ts';
import { startWorkerTelemetry, type WorkerTelemetry } from '../telemetry/start.ts';
import { printableUrl } from '../text/urls.ts';
import type { Clock } from '../time/clock.ts';

/** @returns undefined if nothing is to be traced. Never rejects: a worker also works without tracing. */
export async function traceWorker(
  { queueUrl, deadLetterQueueUrl, outcomeQueueUrl }: Config,
  { env, clock, log }: { readonly env: Environment; readonly clock: Clock; readonly log: Logger },
): Promise<WorkerTelemetry | undefined> {
  let failedAt: number | undefined;
  const onExport = (error: Error | undefined): void => {
    if (error === undefined) {
      const since = failedAt;
      failedAt = undefined;
      if (since !== undefined)
        writeLine(log, logLines.exportRecovered, () => ({
          durationMs: Math.round(clock.monotonic() - since),
        }));
    } else if (failedAt === undefined) {
      failedAt = clock.monotonic();
      writeLine(log, logLines.exportFailed, () => ({ error: describeError(error) }));
    }
  };
  try {
    const telemetry = await startWorkerTelemetry(
      {
        env,
        clock,
        instance: randomUUID(),
        onIgnored: ({ variable, why }) =>
          writeLine(log, logLines.tracingIgnored, () => ({ of: variable, reason: `it ${why}` })),
        onExport,
      },
      { queueUrl, deadLetterQueueUrl, outcomeQueueUrl },
    );
    if (telemetry !== undefined)
      writeLine(log, logLines.tracingOn, () => ({ address: printableUrl(telemetry.url) }));
    return telemetry;
  } catch (error) {
    onExport(error instanceof Error ? error : new Error(String(error)));
    return undefined;
  }
}
