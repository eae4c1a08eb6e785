/** What every dead-letter command works with: both queues by the configuration, and how their errors are reported. */
import type { CommandContext } from '../../cli/context.ts';
import { interruptible } from '../../cli/signals.ts';
import { type Config, readConfigForAws, readQueueUrls } from '../../config.ts';
import { CommandError, causeOf, exitCodes, misuse } from '../../errors.ts';
import { createSqsClient } from '../../queue/client.ts';
import { watchQueueTime } from '../../queue/clock.ts';
import { findSameQueue } from '../../queue/distinct.ts';
import { failedQueue } from '../../queue/errors.ts';
import { explainNotice, explainSqsError, type RequestHints } from '../../queue/explain.ts';
import { Queue } from '../../queue/queue.ts';
import { printable } from '../../text/printable.ts';
import { AuditError } from '../changes/audit.ts';
import type { PassSurroundings } from '../pass/pass.ts';

const settings = ['queueUrl', 'deadLetterQueueUrl', 'stateDir'] as const;
type LettersConfig = Pick<Config, (typeof settings)[number]>;

export interface LettersRun {
  readonly context: CommandContext;
  readonly config: LettersConfig;
  readonly source: Queue;
  readonly dead: Queue;
  readonly surroundings: PassSurroundings;
}

/** Runs a command's work with both queues. */
export type StartRun = (work: (run: LettersRun) => Promise<void>) => Promise<void>;

/** Sockets for polls, releases and the rest. */
const SOCKETS = 16;

/**
 * Runs `work`. An interruption, and a reader of stdout that closes it (`| head`), abort its signal; after the latter
 * nothing is wrong, but the letters must still be made visible again.
 * @throws CommandError for what SQS answers, and where two settings name one queue; ConfigError for a faulty configuration.
 */
export async function startRun(
  context: CommandContext,
  pollSeconds: number | undefined,
  work: (run: LettersRun) => Promise<void>,
): Promise<void> {
  const config = readConfigForAws(context.env, settings);
  const readerGone = new AbortController();
  const onOutputError = (): void => readerGone.abort();
  context.stdout.on('error', onOutputError);
  const client = createSqsClient(SOCKETS, {}, context.env);
  const queue = (url: string): Queue => {
    const one = new Queue(client, url);
    one.onNotice((notice) => void context.stderr.write(`${explainNotice(notice)}.\n`));
    return one;
  };
  // Letters are stamped by SQS: their ages, what they may hold, and a changed update's IssuedAt go by its clock.
  const queueTime = watchQueueTime(client, context.clock);
  try {
    // A pass takes letters, and some commands delete them: never from a queue that is another one's.
    const fault = await findSameQueue(readQueueUrls(context.env), queue, 'DEAD_LETTER_QUEUE_URL');
    if (fault !== undefined) throw misuse(fault);
    await interruptible(context, (interrupted) =>
      work({
        context,
        config,
        source: queue(config.queueUrl),
        dead: queue(config.deadLetterQueueUrl),
        surroundings: {
          clock: { wall: () => queueTime.now(), monotonic: () => queueTime.elapsed() },
          onReceived: ({ firstReceivedAt }) => queueTime.stamped(firstReceivedAt),
          random: context.random,
          sleep: context.sleep,
          signal: AbortSignal.any([interrupted, readerGone.signal]),
          ...(pollSeconds !== undefined && { pollSeconds }),
        },
      }),
    );
    if (readerGone.signal.aborted) context.exitCode = exitCodes.done;
  } catch (error) {
    if (readerGone.signal.aborted && !(error instanceof AuditError)) return;
    const why = explain(error, config);
    throw why === undefined ? error : new CommandError(`Failed: ${why}.`);
  } finally {
    context.stdout.off('error', onOutputError);
    client.destroy();
  }
}

/** One sentence, without its full stop; undefined for an error that comes neither from SQS nor from the log of changes. */
export function explain(error: unknown, config: LettersConfig): string | undefined {
  if (error instanceof AuditError) {
    const { path, cause } = error;
    return `the log of changes ${printable(path)} cannot be written: ${printable(causeOf(cause))}. What cannot be logged is not done; STATE_DIR is its folder`;
  }
  const url = failedQueue(error);
  if (url === undefined) return undefined;
  return explainSqsError(error, url, url === config.queueUrl ? sourceHints : deadHints);
}

const sourceHints: RequestHints = {
  setting: 'QUEUE_URL',
  permission: 'sqs:SendMessage and GetQueueAttributes',
  does: 'send',
};
const deadHints: RequestHints = {
  setting: 'DEAD_LETTER_QUEUE_URL',
  permission: 'sqs:ReceiveMessage, ChangeMessageVisibility, DeleteMessage and GetQueueAttributes',
  does: 'receive',
};
