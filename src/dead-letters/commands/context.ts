/** What the dead-letter commands share: queues by the configuration, signals, and how they fail. */
import { once } from 'node:events';
import { userInfo } from 'node:os';
import type { Writable } from 'node:stream';
import { type Command, InvalidArgumentError } from 'commander';
import { CommandError, type CommandIo, exitCodes } from '../../cli/io.ts';
import { type Config, readConfig } from '../../config.ts';
import { createSqsClient, silentLogger } from '../../queue/client.ts';
import { failedQueue } from '../../queue/errors.ts';
import { explainSqsError, type RequestHints } from '../../queue/explain.ts';
import { Queue } from '../../queue/queue.ts';
import { shortPrintable } from '../../text/printable.ts';
import { type Clock, sleep, systemClock } from '../../time/clock.ts';
import { AuditError } from '../changes/audit.ts';
import { readWhere, type WhereResult, whereFields } from '../letters/conditions.ts';
import { MAX_IN_FLIGHT, type PassSurroundings } from '../pass/pass.ts';

/** What a run takes from the process besides its streams. */
export interface LettersSurroundings {
  readonly clock: Clock;
  readonly random: () => number;
  readonly sleep: PassSurroundings['sleep'];
  readonly pollSeconds?: number;
  /** Who is at the keyboard, for the log of changes. */
  readonly userName: () => string;
}

export const realSurroundings: LettersSurroundings = {
  clock: systemClock,
  random: Math.random,
  sleep,
  userName: () => userInfo().username,
};

const lettersSettings = ['queueUrl', 'deadLetterQueueUrl', 'stateDir'] as const;
type LettersConfig = Pick<Config, (typeof lettersSettings)[number]>;

export interface LettersContext {
  readonly config: LettersConfig;
  readonly source: Queue;
  readonly dead: Queue;
  readonly surroundings: PassSurroundings;
}

/** Sockets for polls, releases and the rest. */
const SOCKETS = 16;

/**
 * Runs `work` with both queues. The first signal aborts its `signal`, the second leaves at once.
 * @throws CommandError for what SQS refuses; ConfigError for a faulty configuration.
 */
export async function withQueues(
  io: CommandIo,
  surroundings: LettersSurroundings,
  work: (context: LettersContext) => Promise<void>,
): Promise<void> {
  const config = readConfig(io.env, lettersSettings);
  const interrupted = new AbortController();
  const off = io.onSignal((signal) => {
    if (!interrupted.signal.aborted) interrupted.abort();
    else io.exitNow(signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated);
  });
  // A reader that has read enough (`| head`) closes its end: nothing is wrong, and letters must still be released.
  let readerGone = false;
  const onOutputError = (): void => {
    readerGone = true;
    interrupted.abort();
  };
  io.stdout.on('error', onOutputError);
  const client = createSqsClient(SOCKETS, { logger: silentLogger }, io.env);
  try {
    await work({
      config,
      source: new Queue(client, config.queueUrl),
      dead: new Queue(client, config.deadLetterQueueUrl),
      surroundings: { ...surroundings, signal: interrupted.signal },
    });
    if (readerGone) io.exitCode = exitCodes.done;
  } catch (error) {
    if (readerGone && !(error instanceof AuditError)) return;
    throw isExplained(error) ? new CommandError(`Failed: ${explain(error, config)}.`) : error;
  } finally {
    off();
    io.stdout.off('error', onOutputError);
    client.destroy();
  }
}

/** Whether the error says something to who runs the command: it came from outside, and is no bug of ours. */
export function isExplained(error: unknown): boolean {
  return (
    error instanceof AuditError ||
    (error instanceof Error &&
      ('$metadata' in error ||
        'code' in error ||
        /^(TimeoutError|CredentialsProviderError)$/.test(error.name)))
  );
}

/** One sentence, without its full stop. */
export function explain(error: unknown, config: LettersConfig): string {
  if (error instanceof AuditError) return error.message;
  const url = failedQueue(error) ?? config.deadLetterQueueUrl;
  return explainSqsError(error, url, url === config.queueUrl ? sourceHints : deadHints);
}

const sourceHints: RequestHints = {
  setting: 'QUEUE_URL',
  permission: 'sqs:SendMessage and GetQueueAttributes',
};
const deadHints: RequestHints = {
  setting: 'DEAD_LETTER_QUEUE_URL',
  permission: 'sqs:ReceiveMessage, ChangeMessageVisibility, DeleteMessage and GetQueueAttributes',
};

/**
 * Writes, and waits while the reader is slow: a million letters must not pile up in memory.
 * @throws when the stream has closed.
 */
export async function write(stream: Writable, text: string): Promise<void> {
  if (!stream.writable) throw new Error('the output is closed');
  if (stream.write(text)) return;
  const settled = new AbortController();
  const { signal } = settled;
  try {
    await Promise.race([once(stream, 'drain', { signal }), once(stream, 'close', { signal })]);
  } finally {
    settled.abort();
  }
}

export type Where = Extract<WhereResult, { ok: true }>;

/** @throws CommandError when a condition is none. */
export function whereOf(conditions: readonly string[]): Where {
  const where = readWhere(conditions);
  if (where.ok) return where;
  throw misuse(`--where: ${shortPrintable(where.message, 300)}.`);
}

export function misuse(message: string): CommandError {
  return new CommandError(message, exitCodes.misuse);
}

export function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** Adds `--where` to a command. */
export function withWhere(command: Command): Command {
  return command.option(
    '--where <field=value>',
    `only letters like this; may be repeated (either of one field, each of several): ${whereFields.join(', ')}`,
    collect,
    [],
  );
}

/** Adds the bounds of a pass that changes nothing. */
export function withBounds(command: Command): Command {
  return command
    .option('--limit <n>', 'letters to look at, at most', wholeNumber, MAX_IN_FLIGHT)
    .option('--seconds <n>', 'time to look, at most', positive, 60);
}

export function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('a whole number from 1.');
  return Number(text);
}

export function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0) || value > 1e9) throw new InvalidArgumentError('a number above 0.');
  return value;
}
