/**
 * One run with a bulk job: its senders, its workers and its ledger under faults, and a person who steers it meanwhile.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LedgerPlace } from '../../src/jobs/ledger/open.ts';
import { LedgerError } from '../../src/jobs/ledger/shared/error.ts';
import { evenRates } from '../../testing/faults/faults.ts';
import { JOB, makePlan, prepare } from '../../testing/proof/job.ts';
import { identifierOf, kindOf } from '../../testing/proof/rows.ts';
import { standingOf } from '../../testing/proof/standing.ts';
import { seeded } from '../../testing/random.ts';
import { Happenings } from '../harness/happen.ts';
import { type CutTarget, drawSchedule } from '../harness/schedule.ts';
import { noFaults, type Rates, Stage } from '../harness/stage.ts';
import { Fleet, sender } from '../harness/workers.ts';
import { type JobFindings, jobFindings, type LedgerKind } from './findings.ts';
import type { Taking } from './sends.ts';
import { Shell } from './shell.ts';

export interface JobRunOptions {
  readonly seed: number;
  readonly ledger: LedgerKind;
  readonly rows: number;
  /** Maximum time in seconds, with faults; and the same again without. */
  readonly seconds: number;
  readonly kills: number;
  readonly stops: number;
  readonly cuts: number;
  readonly clockSteps: number;
  readonly freezes: number;
  /** How often PostgreSQL is ended. */
  readonly ledgerEnds: number;
  /** Number of shell commands. */
  readonly steers: number;
  readonly workers: number;
  /** Calls per second that the API accepts. */
  readonly apiLimit: number;
  readonly say: (line: string) => void;
}

const VISIBILITY_SECONDS = 8;
/** Maximum length of a cut, in milliseconds. */
const CUT_MS = 4_000;
/** Longer than a sender's lease in PostgreSQL, which is 15 s. In SQLite a frozen process keeps the lease. */
const FREEZE_MS: Readonly<Record<LedgerKind, number>> = { sqlite: 5_000, postgres: 24_000 };
/** The share of requests, and of pieces of PostgreSQL's protocol, that get a fault. */
const rates: Rates = {
  sqs: evenRates(0.08, 'sqs'),
  api: evenRates(0.1),
  redis: {},
  ledger: { refuse: 0.02, reset: 0.001, drop: 0.001, half: 0.001, delay: 0.001, 'slow-answer': 0.001 },
  sts: 0.2,
};
const cutTargets: readonly CutTarget[] = ['ledger', 'sqs', 'outcomes', 'api', 'all'];

/** Short times, so that a run is short; but not so short that a busy machine does everything twice. */
const env = {
  VISIBILITY_TIMEOUT_SECONDS: String(VISIBILITY_SECONDS),
  RATE_LIMIT: '150',
  CALL_TIMEOUT_MS: '2500',
  RETRY_BASE_MS: '20',
  RETRY_MAX_MS: '500',
  MAX_ATTEMPTS: '4',
  MAX_DELIVERIES: '50',
  SHUTDOWN_GRACE_SECONDS: '8',
  LOG_LEVEL: 'info',
};

export async function runJobOnce(options: JobRunOptions): Promise<JobFindings> {
  const { seed, ledger, rows, workers, say } = options;
  const random = seeded(seed);
  const senders = ledger === 'postgres' ? 2 : 1;
  const schedule = drawSchedule({
    ...options,
    workers: workers + senders,
    cutTargets: cutTargets.filter((target) => target !== 'ledger' || ledger === 'postgres'),
    cutMs: CUT_MS,
    shortages: 0,
    random,
    jobs: {
      senders,
      freezes: options.freezes,
      freezeMs: FREEZE_MS[ledger],
      ledgerEnds: ledger === 'postgres' ? options.ledgerEnds : 0,
      steers: options.steers,
    },
  });
  const folder = mkdtempSync(join(tmpdir(), 'chaos-job-'));
  const stage = await Stage.set({
    random,
    fifo: false,
    redis: false,
    outcomes: true,
    postgres: ledger === 'postgres',
    record: true,
    api: {},
  });
  const settings = stage.env({ ...env, STATE_DIR: join(folder, 'state') });
  const place = { stateDir: join(folder, 'state'), ledgerUrl: settings.LEDGER_URL };
  const shell = new Shell({
    jobId: JOB,
    folder,
    env: { ...settings, HOME: folder, LOG_LEVEL: 'warn', ...stage.credentials('SHELL') },
    random,
    say,
  });
  const takings: Taking[] = [];
  const fleet = new Fleet({
    env: settings,
    credentials: (name) => stage.credentials(name),
    onLine: ({ name }, { event, what, reason, error, state }) => {
      const line = String(event);
      if (line === 'job.taken') takings.push({ sender: name, at: Date.now() });
      if (/^(gate\.|jobs?\.(?!progress))/.test(line))
        say(`${name}: ${[event, state, what ?? reason ?? error].filter((text) => text != null).join(' ')}`);
    },
  });
  try {
    await prepare({ api: stage.api }, folder, rows);
    const plan = await makePlan(shell);
    await shell.run('jobs', 'apply', 'plan.jsonl', '--yes', '--detach', '--window', '200');
    stage.api.configure({
      limit: { ratePerSecond: options.apiLimit, burst: 50 },
      latency: { minMs: 1, maxMs: 40 },
      tasks: { kind: 'all', exceptPrefix: 'unknown' },
      denied: { prefix: 'denied' },
    });
    const before = stage.applied.length;
    const toApply = Array.from({ length: rows }, (_, i) => i + 1).filter((row) => kindOf(row) === 'plain');
    const wanted = new Set(toApply.map(identifierOf));
    stage.inject(rates);
    const startedAt = performance.now();
    const happenings = new Happenings({
      schedule,
      stage,
      fleet,
      starts: [
        ...Array.from({ length: workers }, () => () => fleet.start()),
        ...Array.from({ length: senders }, () => () => fleet.start({}, sender)),
      ],
      steer: (command, ms) => shell.steer(command, ms),
      say,
    });
    let looked = before;
    /** Continues until the job is done, or the time is over. */
    const follow = async (advance: (done: number) => void): Promise<boolean> => {
      for (const until = performance.now() + options.seconds * 1_000; performance.now() < until; ) {
        await sleep(100);
        for (; looked < stage.applied.length; looked++)
          wanted.delete(stage.applied[looked]?.identifier ?? '');
        advance(1 - wanted.size / toApply.length);
        if (wanted.size === 0 && (await stateOf(place)) === 'done') return true;
      }
      return false;
    };
    const done = await follow((share) => happenings.advance(share));
    // Unfinished work ends without further faults.
    stage.inject(noFaults);
    await happenings.over();
    if (!done) {
      say(`${options.seconds} s are over, ${wanted.size} rows to go: no more faults`);
      await follow(() => undefined);
    }
    shell.giveUp();
    await Promise.all(fleet.running.map((worker) => fleet.stop(worker)));
    const seconds = (performance.now() - startedAt) / 1_000;
    return await jobFindings({
      ...{ seed, ledger, rows, seconds, plan, before, folder },
      ...{ stage, fleet, shell, takings, visibilitySeconds: VISIBILITY_SECONDS },
    });
  } finally {
    await Promise.all(fleet.running.map((worker) => fleet.kill(worker)));
    await stage.strike();
    rmSync(folder, { recursive: true });
  }
}

/** The job's state; undefined if it cannot be read now. */
async function stateOf(place: LedgerPlace): Promise<string | undefined> {
  try {
    return (await standingOf(place)).state;
  } catch (error) {
    if (error instanceof LedgerError) return undefined;
    throw error;
  }
}
