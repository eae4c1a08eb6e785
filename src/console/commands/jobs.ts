/** Assembles the section *Jobs*: it uses what the commands of `jobs` use, and sends due jobs as `jobs send` does. */
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { requireRightClock } from '../../cli/clock.ts';
import type { CommandContext } from '../../cli/context.ts';
import { whoIs } from '../../cli/who.ts';
import { apiSettings, readConfig, readConfigForAws } from '../../config.ts';
import { CommandError } from '../../errors.ts';
import { noColumnFlags } from '../../input/columns.ts';
import { collectWaiting } from '../../jobs/commands/collect.ts';
import { notifySettings, withNotices } from '../../jobs/commands/notify.ts';
import { findPlannedJob, openQueues } from '../../jobs/commands/open.ts';
import { defaultJobId, withPlanning } from '../../jobs/commands/planning.ts';
import { runSending } from '../../jobs/commands/send.ts';
import type { Ledger } from '../../jobs/ledger/ledger.ts';
import { hasLedger, openLedgerAt } from '../../jobs/ledger/open.ts';
import { makePlan } from '../../jobs/plan/make-plan.ts';
import type { PlanReport } from '../../jobs/plan/summary.ts';
import { makeUndo } from '../../jobs/plan/undo.ts';
import type { Reconciled } from '../../jobs/run/reconcile.ts';
import { reconcileRows } from '../../jobs/steer/act.ts';
import { concludeJob } from '../../jobs/steer/conclude.ts';
import type { Verification } from '../../jobs/verify/sum.ts';
import { verifyJob } from '../../jobs/verify/verify-job.ts';
import type { OtaReader } from '../../ota/reader.ts';
import type { LedgerAway } from '../../status/status.ts';
import { type BackoffSettings, fullJitter } from '../../time/backoff.ts';
import { jobRoutes } from '../api/jobs.ts';
import { planRoutes } from '../api/plans.ts';
import type { ApiRoute } from '../api/route.ts';
import { Desk, type DeskOptions } from '../jobs/desk.ts';
import { consolePatience, LedgerDoor } from '../jobs/ledger-door.ts';
import { Looks, type LookTold } from '../jobs/looks.ts';
import { PLAN_FILE, Planner, type PlannerOptions, type PlanWanted, UPLOAD_FILE } from '../jobs/planner.ts';
import { jobsSection } from '../jobs/section.ts';
import { metricsSection } from '../metrics/section.ts';
import type { Section } from '../section.ts';

export interface JobsParts {
  readonly section: Section;
  readonly metrics: Section;
  readonly routes: readonly ApiRoute[];
  /** Starts sending due jobs, unless disabled. */
  readonly start: () => void;
  /** Reads the ledger, if there is one. @throws AwayError, and PageError if it does not answer. */
  readonly readLedger: <T>(work: (ledger: Ledger) => Promise<T>) => Promise<T | undefined>;
  /** Asks the ledger, if there is one; undefined: it answers, or does not exist yet. */
  readonly ledgerAway: () => Promise<LedgerAway | undefined>;
  readonly close: () => Promise<void>;
}

interface JobsPartsOptions {
  readonly context: CommandContext;
  /** Absolute path. */
  readonly stateDir: string;
  /** Whether due jobs are sent from here. */
  readonly send: boolean;
  readonly say: (text: string) => void;
  readonly onError: (error: unknown) => void;
  /** Maximum size of an upload; default: {@link MOST_UPLOAD_BYTES}. */
  readonly mostBytes?: number;
  /** Default: {@link openLedgerAt}. */
  readonly openLedger?: typeof openLedgerAt;
}

/** A file of a million rows has about 60 MB. */
const MOST_UPLOAD_BYTES = 256 * 1_048_576;
const SOCKETS = 4;
/** Wait before sending is tried again if it could not begin, or has ended. */
const backoff: BackoffSettings = { baseMs: 5_000, maxMs: 60_000 };

export function makeJobs(options: JobsPartsOptions): JobsParts {
  const {
    context,
    stateDir,
    say,
    onError,
    mostBytes = MOST_UPLOAD_BYTES,
    openLedger = openLedgerAt,
  } = options;
  const { env, clock, sleep } = context;
  const { ledgerUrl } = readConfig(env, ['ledgerUrl']);
  const door = new LedgerDoor({
    open: () =>
      openLedger({ stateDir, ledgerUrl }, 'create', {
        ...context,
        holder: whoIs(context),
        patience: consolePatience,
      }),
    clock,
    sleep,
    onError,
  });
  const isThere = () => hasLedger({ stateDir, ledgerUrl });
  const planner = new Planner({
    folder: join(stateDir, 'console', 'plans'),
    make: (wanted, io) => make(context, door, wanted, io),
    onError,
    now: clock.wall,
  });
  const looks = (busy: string) => ({ busy, onError, now: clock.wall });
  const verifier = new Looks<Verification>(
    looks('The devices of a job are being looked at: try again when that is done.'),
  );
  const reconciler = new Looks<Reconciled>(looks('A job is being reconciled: try again when that is done.'));
  const desk = new Desk({
    door,
    planner,
    verifier,
    reconciler,
    verify: verifyWith(context),
    reconcile: reconcileWith(context),
    conclude: (ledger, jobId, who) => conclude(context, ledger, jobId, who, say),
    collect: (ledger) => collect(context, ledger, (sentence) => say(`${sentence}.`)),
    checkClock: () => checkClock(context, say),
    clock,
    sleep,
    say,
    onError,
  });
  const { commandLine } = context;
  const newName = (): string => defaultJobId(context);
  const parts = { door, desk, verifier, reconciler, newName, mostBytes, commandLine, clock, sleep };
  const over = new AbortController();
  let sending: Promise<void> | undefined;
  return {
    section: jobsSection(parts),
    metrics: metricsSection({ use: (work) => door.read(work), now: clock.monotonic }),
    routes: [...jobRoutes(parts), ...planRoutes(parts)],
    start: () => {
      if (options.send) sending = keepSending(context, over.signal, door, say, onError);
    },
    readLedger: async (work) => ((await isThere()) ? await door.ask(work) : undefined),
    ledgerAway: async () => ((await isThere()) ? await door.away() : undefined),
    close: async () => {
      over.abort();
      await planner.close();
      await verifier.close();
      await reconciler.close();
      await desk.close();
      await sending;
      await door.close();
    },
  };
}

/** Until `signal` aborts. Never rejects. */
async function keepSending(
  context: CommandContext,
  signal: AbortSignal,
  door: LedgerDoor,
  say: (text: string) => void,
  onError: (error: unknown) => void,
): Promise<void> {
  const { sleep, random, commandLine } = context;
  // The console handles the process's signals: sending ends with it.
  const onSignal: CommandContext['onSignal'] = (listener) => {
    const stop = (): void => listener('SIGTERM');
    signal.addEventListener('abort', stop, { once: true });
    return () => signal.removeEventListener('abort', stop);
  };
  /** The last reported reason why nothing is sent: each is reported once. */
  let said: string | undefined;
  for (let failures = 1; !signal.aborted; failures++) {
    try {
      await runSending({ ...context, onSignal }, false, undefined, {
        onReady: () => {
          failures = 1;
          said = undefined;
        },
        onLedgerAway: (why) => door.tell(why),
      });
      return;
    } catch (error) {
      if (signal.aborted) return;
      door.tell(error);
      if (!(error instanceof CommandError)) onError(error);
      else if (said !== error.message) {
        said = error.message;
        say(
          `Jobs are not sent from here: ${said} Trying again; \`${commandLine('jobs', 'send')}\` elsewhere sends them, too.`,
        );
      }
      await sleep(fullJitter(backoff, failures, random), signal);
    }
  }
}

async function make(
  context: CommandContext,
  door: LedgerDoor,
  wanted: PlanWanted,
  { cwd, ...io }: Parameters<PlannerOptions['make']>[1],
): Promise<PlanReport | undefined> {
  const readsTasks = wanted.from !== 'file' || wanted.refresh;
  const config = (readsTasks ? readConfigForAws : readConfig)(context.env, apiSettings);
  const { jobId } = wanted;
  const output = { jobId, out: PLAN_FILE, force: false, refusedFile: undefined };
  return await withPlanning(context, config, io, async (planning) => {
    const here = {
      ...planning,
      cwd,
      stdin: Readable.from([]),
      // The plan is just as good without it.
      measuredRate: () => door.read((ledger) => ledger.measuredRate()).catch(() => undefined),
    };
    if (wanted.from === 'undo')
      return await door.use(async (ledger) => {
        const { key } = await findPlannedJob(ledger, wanted.undone, context);
        const pages = () => ledger.pages(key);
        return await makeUndo({ ...config, ...output, undone: wanted.undone }, { ...here, pages });
      });
    const from =
      wanted.from === 'live'
        ? { conditions: wanted.conditions }
        : { file: UPLOAD_FILE, name: wanted.name, format: undefined, columns: noColumnFlags };
    const { set, refresh } = wanted;
    return await makePlan({ ...config, ...output, from, set, refresh, look: true }, here);
  });
}

function verifyWith(context: CommandContext): DeskOptions['verify'] {
  const now = context.clock.wall;
  return (ledger, { key }, signal, { onTask, onAway }) =>
    withReader(context, signal, onAway, (read) =>
      verifyJob({ ledger, key, ...read, executions: false, now, onTask }),
    );
}

function reconcileWith(context: CommandContext): DeskOptions['reconcile'] {
  return (ledger, lease, job, deed, signal, { onTask, onAway }) => {
    const setting = { given: {}, now: context.clock.wall() };
    return withReader(context, signal, onAway, (read) =>
      reconcileRows(ledger, lease, job, setting, deed, read, onTask),
    );
  };
}

async function withReader<T>(
  context: CommandContext,
  signal: AbortSignal,
  onAway: LookTold['onAway'],
  work: (read: {
    readonly reader: OtaReader;
    readonly maxConcurrency: number;
    readonly signal: AbortSignal;
  }) => Promise<T>,
): Promise<T> {
  const config = readConfigForAws(context.env, apiSettings);
  const { createReader } = await import('../../ota/create-reader.ts');
  const reader = createReader(config, { ...context, onAway }, signal);
  try {
    return await work({ reader, maxConcurrency: config.maxConcurrency, signal });
  } finally {
    await reader.close();
  }
}

async function conclude(
  context: CommandContext,
  ledger: Ledger,
  jobId: string,
  who: string,
  say: (text: string) => void,
): Promise<boolean> {
  const tell = {
    context,
    ledger,
    signal: new AbortController().signal,
    say: (sentence: string) => say(`${sentence}.`),
  };
  return await withNotices(readConfig(context.env, notifySettings), tell, async (targets) =>
    concludeJob(ledger, await findPlannedJob(ledger, jobId, context), { who, targets }),
  );
}

async function collect(
  context: CommandContext,
  ledger: Ledger,
  say: (sentence: string) => void,
): Promise<void> {
  const { outcomeQueueUrl } = readConfig(context.env, ['outcomeQueueUrl']);
  if (outcomeQueueUrl === undefined) return;
  const emptied = await collectWaiting(context, ledger, outcomeQueueUrl, say);
  if (!emptied) say('More outcomes keep arriving: the ledger may be out of date');
}

/** Compares clocks through the queue that updates are sent to; does nothing without such a queue. */
async function checkClock(context: CommandContext, say: (text: string) => void): Promise<void> {
  const { queueUrl } = readConfigForAws(context.env, ['queueUrl']);
  const queues = await openQueues(context, SOCKETS, (sentence) => say(`${sentence}.`));
  try {
    requireRightClock(await queues.clockSkewMs(queues.queue(queueUrl)));
  } finally {
    queues.close();
  }
}
