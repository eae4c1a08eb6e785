/** One run: updates are sent, faults injected, workers killed; at the end the account is settled. */
import { setTimeout as sleep } from 'node:timers/promises';
import { evenRates } from '../../testing/faults/faults.ts';
import { seeded } from '../../testing/random.ts';
import type { Findings } from './findings.ts';
import { findingsOf } from './findings.ts';
import { Happenings } from './happen.ts';
import { drawSchedule } from './schedule.ts';
import { noFaults, type Rates, Stage } from './stage.ts';
import { DENIED, mixUpdates, UNKNOWN } from './updates.ts';
import { Fleet } from './workers.ts';

export interface RunOptions {
  readonly seed: number;
  readonly updates: number;
  readonly fifo: boolean;
  readonly redis: boolean;
  /** Maximum time in seconds. */
  readonly seconds: number;
  readonly kills: number;
  readonly stops: number;
  readonly cuts: number;
  /** How often the wall clock of a worker jumps. */
  readonly clockSteps: number;
  /** How often a worker gets no file descriptors. */
  readonly shortages: number;
  readonly workers: number;
  /** Include updates that the API denies. */
  readonly denied: boolean;
  /** Calls per second that the API accepts. */
  readonly apiLimit: number;
  /** Maximum length of a cut, in milliseconds. */
  readonly cutMs: number;
  readonly say: (line: string) => void;
}

const VISIBILITY_SECONDS = 4;
/** The share of requests that get a fault. */
const rates: Rates = {
  sqs: evenRates(0.12, 'sqs'),
  api: evenRates(0.12),
  redis: evenRates(0.03),
  ledger: {},
  sts: 0.3,
};

/** The environment of a worker, with short times, so that a run is short. */
const env = {
  VISIBILITY_TIMEOUT_SECONDS: String(VISIBILITY_SECONDS),
  RATE_LIMIT: '500',
  CALL_TIMEOUT_MS: '1000',
  RETRY_BASE_MS: '20',
  RETRY_MAX_MS: '500',
  MAX_ATTEMPTS: '4',
  // Kills and cuts cost deliveries.
  MAX_DELIVERIES: '50',
  SHUTDOWN_GRACE_SECONDS: '8',
  LOG_LEVEL: 'info',
};

export async function runOnce(options: RunOptions): Promise<Findings> {
  const { seed, updates: count, fifo, redis, workers, say } = options;
  const random = seeded(seed);
  const sent = mixUpdates({
    count,
    tasks: Math.ceil(fifo ? count / 25 : count * 0.7),
    fifo,
    denied: options.denied,
    random,
  });
  const cutTargets = ['sqs', 'api', 'all', ...(redis ? (['redis'] as const) : [])] as const;
  const schedule = drawSchedule({ ...options, cutTargets, random });
  const stage = await Stage.set({
    random,
    fifo,
    redis,
    record: true,
    api: {
      limit: { ratePerSecond: options.apiLimit, burst: 50 },
      latency: { minMs: 1, maxMs: 40 },
      tasks: { kind: 'all', exceptPrefix: UNKNOWN },
      denied: { prefix: DENIED },
    },
  });
  const fleet = new Fleet({
    env: stage.env(env),
    credentials: (name) => stage.credentials(name),
    onLine: ({ name }, { event, errorName }) => {
      if (String(event).startsWith('gate.')) say(`${name}: ${String(event)} ${String(errorName ?? '')}`);
    },
  });
  const startedAt = performance.now();
  const until = startedAt + options.seconds * 1_000;
  try {
    stage.inject(rates);
    const happenings = new Happenings({
      schedule,
      stage,
      fleet,
      starts: Array.from({ length: workers }, () => () => fleet.start()),
      say,
    });
    let nextLine = 5;
    // The second half is sent while the first is processed.
    let unsent = [...sent];
    const sendSome = async (some: number): Promise<void> => {
      await stage.send(unsent.slice(0, some));
      unsent = unsent.slice(some);
    };
    await sendSome(Math.ceil(count / 2));
    while (performance.now() < until) {
      await sleep(100);
      const { all } = await stage.left();
      if (unsent.length > 0) await sendSome(Math.ceil(count / 100));
      else if (all === 0) break;
      const done = (count - unsent.length - all) / count;
      const seconds = (performance.now() - startedAt) / 1_000;
      if (seconds >= nextLine) {
        nextLine += 5;
        say(`${seconds.toFixed(0)} s: ${(done * 100).toFixed(0)}% done, ${all} left`);
      }
      happenings.advance(done);
    }
    await sendSome(unsent.length);
    await happenings.over();
    // Unfinished work (a settlement, a letter) ends without further faults.
    stage.inject(noFaults);
    await Promise.all(fleet.running.map((worker) => fleet.stop(worker)));
    return await findingsOf({
      ...options,
      sent,
      stage,
      fleet,
      letters: await stage.drainLetters(),
      visibilitySeconds: VISIBILITY_SECONDS,
      seconds: (performance.now() - startedAt) / 1_000,
    });
  } finally {
    await Promise.all(fleet.running.map((worker) => fleet.kill(worker)));
    await stage.strike();
  }
}
