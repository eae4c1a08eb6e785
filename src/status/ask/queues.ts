/** Reads the counts of the queues that the environment names. Never throws. */
import { type Environment, readConfigForAws } from '../../config.ts';
import { CommandError } from '../../errors.ts';
import { createSqsClient } from '../../queue/client.ts';
import { explainSqsError } from '../../queue/explain.ts';
import { Queue } from '../../queue/queue.ts';
import type { Clock } from '../../time/clock.ts';
import type { QueueAnswer, QueueName, StatusFacts } from '../status.ts';

const settings = {
  source: ['queueUrl', 'QUEUE_URL'],
  deadLetter: ['deadLetterQueueUrl', 'DEAD_LETTER_QUEUE_URL'],
  outcome: ['outcomeQueueUrl', 'OUTCOME_QUEUE_URL'],
} as const satisfies Record<QueueName, readonly [string, string]>;

/** SQS's own retries may take long. */
const PATIENCE_MS = 10_000;

export interface QueueReader {
  /** Queues without a variable are left out. */
  readonly read: (signal: AbortSignal) => Promise<StatusFacts['queues']>;
  readonly close: () => void;
}

interface ReaderContext {
  readonly env: Environment;
  readonly clock: Pick<Clock, 'wall'>;
}

export function queueReader({ env, clock }: ReaderContext): QueueReader {
  const client = createSqsClient(Object.keys(settings).length, {}, env);
  const readOne = async (name: QueueName, signal: AbortSignal): Promise<QueueAnswer> => {
    const [setting, variable] = settings[name];
    let url: string | undefined;
    try {
      url = readConfigForAws(env, [setting])[setting];
      if (url === undefined) return undefined;
      const late = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
      const attributes = await new Queue(client, url).attributes(late);
      const { visible = null, notVisible: inFlight = null, delayed = null } = attributes;
      return {
        ok: true,
        depth: { visible, inFlight, delayed, readAt: new Date(clock.wall()).toISOString() },
      };
    } catch (error) {
      if (error instanceof CommandError) return { ok: false, why: oneLine(error.message) };
      if (url === undefined) throw error;
      const hints = { setting: variable, permission: 'sqs:GetQueueAttributes', does: 'receive' } as const;
      return { ok: false, why: explainSqsError(error, url, hints) };
    }
  };
  return {
    read: async (signal) => {
      const names = (Object.keys(settings) as QueueName[]).filter((name) => Boolean(env[settings[name][1]]));
      const answers = await Promise.all(
        names.map(async (name) => [name, await readOne(name, signal)] as const),
      );
      return Object.fromEntries(answers);
    },
    close: () => client.destroy(),
  };
}

function oneLine(message: string): string {
  return message.replace(/\s*\n\s*/g, ' ').replace(/\.$/, '');
}
