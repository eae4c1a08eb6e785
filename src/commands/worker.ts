/** `worker`: runs until SIGTERM or SIGINT. */
import type { Command } from 'commander';
import type { CommandContext } from '../cli/context.ts';
import { stopOnSignal } from '../cli/signals.ts';
import { readConfig } from '../config.ts';
import { CommandError, messageOf } from '../errors.ts';
import { writeLine } from '../observe/log-events.ts';
import { logLines } from '../observe/log-lines.ts';
import { createLogger } from '../observe/logger.ts';
import { logSummaries } from '../observe/summary.ts';
import { assemble } from './assemble.ts';

/** The command ends with exit code 0 after a drain. */
export function configureWorker(command: Command, context: CommandContext): void {
  command
    .description(
      'Consumes updates from the queue and applies them until SIGTERM or SIGINT. Configured by environment ' +
        'variables (docs/reference/configuration.md).',
    )
    .action(async () => {
      const config = readConfig(context.env);
      // The reader of the log may close the pipe; the work continues.
      context.stdout.on('error', () => undefined);
      const log = createLogger(config.logLevel, context.stdout);
      const { worker, counts, http, close } = assemble({ config, env: context.env, log });
      const stopped = stopOnSignal(context, () => worker.stop());
      if (config.httpPort !== undefined) {
        const address = await listen(http, config.httpHost, config.httpPort);
        writeLine(log, logLines.httpListening, () => ({ address }));
      }
      const stopSummaries = logSummaries(log, counts, () => worker.snapshot());
      await worker.start();
      await stopped;
      stopSummaries();
      await close();
      // A request that SQS never answers must not outlive the grace.
      setTimeout(() => context.exitNow(context.exitCode), LINGER_MS).unref();
    });
}

/** For the last lines of the log, in milliseconds. */
const LINGER_MS = 200;

async function listen(
  http: { listen: (o: { host: string; port: number }) => Promise<string> },
  host: string,
  port: number,
): Promise<string> {
  try {
    return await http.listen({ host, port });
  } catch (error) {
    throw new CommandError(`cannot listen on HTTP_HOST ${host}, HTTP_PORT ${port}: ${messageOf(error)}`);
  }
}
