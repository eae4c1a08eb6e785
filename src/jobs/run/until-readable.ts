/** Lets a service that is started while SQS is away wait for it, as a worker does. */
import { type BackoffSettings, fullJitter } from '../../time/backoff.ts';
import { OutcomesUnreadable } from './unreadable.ts';

const backoff: BackoffSettings = { baseMs: 1_000, maxMs: 30_000 };

export interface UntilReadableOptions {
  /** Resolves after `ms`, or immediately when `signal` aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
  /** Aborts when the service is to end. */
  readonly signal: AbortSignal;
  /** Called once when it begins to wait, and once when the wait is over: a sentence without its full stop. */
  readonly say: (sentence: string) => void;
}

/**
 * Looks at the queues again and again until they can be read.
 * @param look throws OutcomesUnreadable while they cannot.
 * @throws any other error of `look`; its last error if the service is to end.
 */
export async function untilReadable(
  look: () => Promise<void>,
  { sleep, random, signal, say }: UntilReadableOptions,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await look();
      if (tries > 1) say('The queues answer again');
      return;
    } catch (error) {
      if (!(error instanceof OutcomesUnreadable) || signal.aborted) throw error;
      if (tries === 1) say(`${error.message} Trying again`);
      await sleep(fullJitter(backoff, tries, random), signal);
      if (signal.aborted) throw error;
    }
  }
}
