/** `status`: are updates going through, how fast, how long will they take, what is stuck and why. */

import { type Command, InvalidArgumentError } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { misuse } from '../../cli/flags.ts';
import { interruptible } from '../../cli/signals.ts';
import { readConfig } from '../../config.ts';
import { exitCodes } from '../../errors.ts';
import { columnsOf } from '../../text/layout.ts';
import { createScreen } from '../../text/live-block.ts';
import { queueReader } from '../ask/queues.ts';
import { workerUrlsOf } from '../ask/urls.ts';
import { askWorkers } from '../ask/workers.ts';
import { statusJson } from '../json.ts';
import { makeStatus, type Status, type StatusFacts } from '../status.ts';
import { statusBlock, statusLine, statusText } from '../view.ts';
import { lettersByCause } from './letters.ts';

interface Flags {
  readonly workers?: readonly string[];
  readonly deadLetters?: boolean;
  readonly watch?: boolean;
  readonly json?: boolean;
}

/**
 * While watching: workers are asked this often, queues less often, because their counts lag anyway. In milliseconds.
 */
const WATCH_MS = 2_000;
const QUEUES_MS = 30_000;

/** @param pollSeconds of the pass over the dead-letter queue; see `PassSurroundings`. */
export function configureStatus(command: Command, context: CommandContext, pollSeconds?: number): void {
  command
    .description(
      'Shows where everything stands: calls per second and their limits, backlog, time to drain, what is held and deferred, dead ' +
        'letters, Redis, what is wrong and since when, and the next sensible command. Asks the workers at WORKER_URLS and the ' +
        'queues; without a worker it shows only the queues. Changes nothing.',
    )
    .option(
      '--workers <urls>',
      'where the workers are, in place of WORKER_URLS: http://worker:8080, separated by commas; a name is asked at each of its addresses',
      readUrls,
    )
    .option('--dead-letters', 'also list the dead letters by cause, in a pass that leaves them all in place')
    .option('--watch', 'keep showing it until Ctrl-C')
    .option('--json', 'print it as one JSON object; with --watch, one per line')
    .addHelpText(
      'after',
      '\nExit codes: 0 updates go through or there is nothing to do, 1 otherwise, or if not everything could be asked.',
    )
    .action((flags: Flags) => status(flags, context, pollSeconds));
}

function readUrls(text: string): readonly string[] {
  try {
    return readConfig({ WORKER_URLS: text }, ['workerUrls']).workerUrls ?? [];
  } catch {
    throw new InvalidArgumentError('It must be URLs separated by commas, such as http://worker:8080.');
  }
}

async function status(flags: Flags, context: CommandContext, pollSeconds: number | undefined): Promise<void> {
  const { stdout, clock } = context;
  if (flags.watch === true && flags.deadLetters === true)
    throw misuse('--dead-letters cannot be combined with --watch: a pass holds the letters while it runs.');
  const urls = flags.workers ?? workerUrlsOf(context.env);
  const reader = queueReader(context);
  try {
    await interruptible(context, async (signal) => {
      const look = async (queues: StatusFacts['queues']): Promise<Status> =>
        makeStatus({ now: clock.wall(), workers: await askWorkers(urls, signal), queues });
      if (flags.watch === true) {
        await watch(flags, context, signal, look, () => reader.read(signal));
        context.exitCode = exitCodes.interrupted;
        return;
      }
      const [queues, letters] = await Promise.all([
        reader.read(signal),
        flags.deadLetters === true ? lettersByCause(context, pollSeconds) : undefined,
      ]);
      const seen = await look(queues);
      stdout.write(
        flags.json === true
          ? statusJson(seen, context.commandLine, letters?.json)
          : statusText(seen, columnsOf(stdout), context.commandLine, letters?.text),
      );
      context.exitCode = signal.aborted ? exitCodes.interrupted : exitCodeOf(seen);
    });
  } finally {
    reader.close();
  }
}

function exitCodeOf({ verdict }: Status): number {
  return verdict.state === 'going' || verdict.state === 'idle' ? exitCodes.done : exitCodes.failed;
}

async function watch(
  { json }: Flags,
  { stdout, stderr, isTerminal, clock, sleep, commandLine }: CommandContext,
  signal: AbortSignal,
  look: (queues: StatusFacts['queues']) => Promise<Status>,
  readQueues: () => Promise<StatusFacts['queues']>,
): Promise<void> {
  const screen = createScreen<Status>({
    stream: isTerminal ? stderr : stdout,
    isTerminal,
    now: clock.monotonic,
    block: statusBlock,
    line: statusLine,
    lineMs: 0,
  });
  const everyMs = isTerminal && json !== true ? WATCH_MS : 5 * WATCH_MS;
  let readAt = Number.NEGATIVE_INFINITY;
  let queues: StatusFacts['queues'] = {};
  let last: Status | undefined;
  try {
    while (!signal.aborted) {
      if (clock.monotonic() - readAt >= QUEUES_MS) {
        queues = await readQueues();
        readAt = clock.monotonic();
      }
      const seen = await look(queues);
      // A status cut off by an interruption is incomplete, and not shown.
      if (signal.aborted) break;
      last = seen;
      if (json === true) stdout.write(statusJson(seen, commandLine));
      else screen.update(seen);
      await sleep(everyMs, signal);
    }
  } finally {
    screen.stop();
  }
  if (isTerminal && json !== true && last !== undefined)
    stdout.write(statusText(last, columnsOf(stdout), commandLine));
}
