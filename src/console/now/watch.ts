/** Looks at workers and queues even without viewers: a viewer who comes then sees the last hour in the chart. */
import {
  type LedgerAway,
  makeStatus,
  type QueueName,
  type Status,
  type StatusFacts,
  whatIsAway,
} from '../../status/status.ts';
import type { Clock } from '../../time/clock.ts';
import { type Sample, Samples } from './samples.ts';

export interface WatchOptions {
  /** None of them rejects. */
  readonly askWorkers: (signal: AbortSignal) => Promise<StatusFacts['workers']>;
  readonly readQueues: (signal: AbortSignal) => Promise<StatusFacts['queues']>;
  /** undefined: there is no ledger to ask. */
  readonly askLedger?: () => Promise<LedgerAway | undefined>;
  readonly clock: Clock;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Interval for workers, in milliseconds. Queues are asked less often: their counts lag anyway, and their requests cost money. */
const LOOK_MS = 5_000;
const QUEUES_MS = 30_000;
/**
 * Answers of queues or the ledger that take longer appear in a later look, so that they do not delay the workers'. In
 * milliseconds.
 */
const SLOW_MS = 2_000;

/** The last result, and since when a source has not answered. */
export interface Seen {
  readonly status: Status;
  /** Epoch milliseconds; undefined while the workers answer. */
  readonly workersAwaySince?: number;
  readonly queuesAwaySince: Readonly<Partial<Record<QueueName, number>>>;
  readonly ledger?: LedgerAway;
  readonly sample: Sample;
}

interface Away {
  readonly what: string;
  /** Without its full stop. */
  readonly sentence: string;
  /** Epoch milliseconds. */
  readonly since: number;
  /** It can be read but accepts no changes. */
  readonly isRead?: true;
}

export class Watch {
  readonly #options: WatchOptions;
  readonly #stop = new AbortController();
  readonly #samples = new Samples();
  #queues: StatusFacts['queues'] = {};
  #ledger: LedgerAway | undefined;
  /** Questions without an answer yet. */
  #reading: Promise<void> | undefined;
  #asking: Promise<void> | undefined;
  #queuesAwaySince: Seen['queuesAwaySince'] = {};
  #workersAwaySince: number | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #seen: Seen | undefined;
  #next = Promise.withResolvers<void>();

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Runs until stopped. */
  async run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#look(signal);
      await this.#options.sleep(LOOK_MS, signal);
    }
  }

  stop(): void {
    this.#stop.abort();
    this.#next.resolve();
  }

  /** The last hour, oldest first. */
  samples(): readonly Sample[] {
    return this.#samples.all();
  }

  /** The last result; waits for the first look. undefined if stopped before it. */
  async seen(): Promise<Seen | undefined> {
    if (this.#seen === undefined) await this.#next.promise;
    return this.#seen;
  }

  /** The next result, when it is available. */
  async next(): Promise<Seen | undefined> {
    await this.#next.promise;
    return this.#seen;
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { clock, askWorkers } = this.#options;
    const [workers] = await Promise.all([
      askWorkers(signal),
      this.#unlessSlow(Promise.all([this.#readQueues(signal), this.#askLedger()]), signal),
    ]);
    // A look that a stop has interrupted is incomplete.
    if (signal.aborted) return;
    const now = clock.wall();
    const queues = this.#queues;
    const ledger = this.#ledger;
    this.#queuesAwaySince = awaySince(queues, this.#queuesAwaySince, now);
    // If no worker is configured, none was asked: that does not count as silence.
    const silent = workers.length > 0 && !workers.some(({ ok }) => ok);
    this.#workersAwaySince = silent ? (this.#workersAwaySince ?? now) : undefined;
    const status = makeStatus({ now, workers, queues, ledger });
    this.#seen = {
      status,
      queuesAwaySince: this.#queuesAwaySince,
      ...(ledger !== undefined && { ledger }),
      sample: this.#samples.add(status),
      ...(this.#workersAwaySince !== undefined && { workersAwaySince: this.#workersAwaySince }),
    };
    this.#next.resolve();
    this.#next = Promise.withResolvers();
  }

  #readQueues(signal: AbortSignal): Promise<void> {
    const { clock, readQueues } = this.#options;
    if (this.#reading !== undefined) return this.#reading;
    if (clock.monotonic() - this.#readAt < QUEUES_MS) return Promise.resolve();
    this.#readAt = clock.monotonic();
    this.#reading = readQueues(signal).then((queues) => {
      this.#queues = queues;
      this.#reading = undefined;
    });
    return this.#reading;
  }

  #askLedger(): Promise<void> {
    const { askLedger } = this.#options;
    if (askLedger === undefined) return Promise.resolve();
    this.#asking ??= askLedger().then((ledger) => {
      this.#ledger = ledger;
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #unlessSlow(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
    const enough = new AbortController();
    const late = this.#options.sleep(SLOW_MS, AbortSignal.any([signal, enough.signal]));
    await Promise.race([work, late]);
    enough.abort();
  }
}

/** The sources that do not answer, for people, and since when. PURE. */
export function awayOf({ workersAwaySince, queuesAwaySince, ledger }: Seen): readonly Away[] {
  return [
    ...(workersAwaySince === undefined
      ? []
      : [{ what: 'workers', sentence: 'No worker answers', since: workersAwaySince }]),
    ...Object.entries(queuesAwaySince).map(([name, since]) => {
      const what = queueNames[name as QueueName];
      return { what, sentence: `The ${what} cannot be read`, since };
    }),
    ...(ledger === undefined
      ? []
      : [
          {
            what: 'ledger',
            sentence: whatIsAway(ledger),
            since: ledger.since,
            ...(ledger.isRead && { isRead: true as const }),
          },
        ]),
  ];
}

const queueNames: Readonly<Record<QueueName, string>> = {
  source: 'update queue',
  deadLetter: 'dead-letter queue',
  outcome: 'outcome queue',
};

function awaySince(
  queues: StatusFacts['queues'],
  before: Seen['queuesAwaySince'],
  now: number,
): Seen['queuesAwaySince'] {
  const away = Object.entries(queues).flatMap(([name, answer]) =>
    answer?.ok === false ? [[name, before[name as QueueName] ?? now] as const] : [],
  );
  return Object.fromEntries(away);
}
