/** What all work on dead letters needs: both queues from the configuration, and the queues' time. */
import { randomUUID } from 'node:crypto';
import { type Config, type Environment, readConfigForAws, readQueueUrls } from '../../config.ts';
import { misuse } from '../../errors.ts';
import { createSqsClient } from '../../queue/client.ts';
import { watchQueueTime } from '../../queue/clock.ts';
import { findSameQueue } from '../../queue/distinct.ts';
import { explainNotice } from '../../queue/explain.ts';
import { Queue } from '../../queue/queue.ts';
import { startRedriveTelemetry } from '../../telemetry/start.ts';
import { remoteText } from '../../text/remote.ts';
import type { Clock } from '../../time/clock.ts';
import type { SourceQueue } from '../changes/move.ts';
import type { PassSurroundings } from '../pass/pass.ts';

const settings = ['queueUrl', 'deadLetterQueueUrl', 'stateDir'] as const;
export type LettersConfig = Pick<Config, (typeof settings)[number]>;

export interface LettersContext extends Pick<PassSurroundings, 'random' | 'sleep'> {
  readonly env: Environment;
  readonly clock: Clock;
  /** See `PassSurroundings`. */
  readonly pollSeconds?: number | undefined;
  /** Reports something odd in an answer of SQS: a sentence without its full stop. */
  readonly onNotice: (text: string) => void;
}

export interface Letters {
  readonly config: LettersConfig;
  readonly source: Queue;
  readonly dead: Queue;
  /** For work that ends when `signal` aborts. */
  readonly surroundings: (signal: AbortSignal) => PassSurroundings;
  /** @throws CommandError if two settings name one queue: a pass receives letters, and some work deletes them. */
  readonly checkQueues: () => Promise<void>;
  /** The source queue for putting letters back: traced, if the environment asks for it. */
  readonly redriveTo: () => Promise<SourceQueue>;
  /** Resolves when pending spans were sent, or after two seconds. */
  readonly close: () => Promise<void>;
}

/** Maximum time to send pending spans at the end, in milliseconds. */
const SPANS_MS = 2_000;

/** Sockets for polls, releases and the rest. */
const SOCKETS = 16;

/** @throws ConfigError for an invalid configuration. Makes no request. */
export function openLetters({ env, clock, random, sleep, pollSeconds, onNotice }: LettersContext): Letters {
  const config = readConfigForAws(env, settings);
  const client = createSqsClient(SOCKETS, {}, env);
  const queue = (url: string): Queue => {
    const one = new Queue(client, url);
    one.onNotice((notice) => onNotice(explainNotice(notice)));
    return one;
  };
  // SQS timestamps letters, so its clock determines their age, their validity, and a changed update's IssuedAt.
  const queueTime = watchQueueTime(client, clock);
  const source = queue(config.queueUrl);
  let telemetry: ReturnType<typeof startRedriveTelemetry> | undefined;
  let exportFailed = false;
  return {
    config,
    source,
    dead: queue(config.deadLetterQueueUrl),
    surroundings: (signal) => ({
      clock: { wall: () => queueTime.now(), monotonic: () => queueTime.elapsed() },
      onReceived: ({ firstReceivedAt }) => queueTime.stamped(firstReceivedAt),
      random,
      sleep,
      signal,
      ...(pollSeconds !== undefined && { pollSeconds }),
    }),
    checkQueues: async () => {
      const fault = await findSameQueue(readQueueUrls(env), queue, 'DEAD_LETTER_QUEUE_URL');
      if (fault !== undefined) throw misuse(fault);
    },
    redriveTo: async () => {
      telemetry ??= startRedriveTelemetry({
        env,
        clock,
        instance: randomUUID(),
        onIgnored: ({ variable, why }) => onNotice(`${variable} is ignored: it ${why}`),
        onExport: (error) => {
          if (error !== undefined && !exportFailed)
            onNotice(`Spans are not sent: ${remoteText(error.message)}`);
          exportFailed = error !== undefined;
        },
      });
      return (await telemetry)?.traced(source) ?? source;
    },
    close: async () => {
      client.destroy();
      await (await telemetry)?.close(SPANS_MS);
    },
  };
}
