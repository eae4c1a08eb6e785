/**
 * The state of everything: one picture of workers and queues, made from their answers. Every view shows this picture: the
 * command `status`, its JSON, and a worker's page. PURE.
 */

import { instant } from '../text/times.ts';
import { epochMs } from '../time/instant.ts';
import { askedInVain, ledgerLocked, ledgerUnread, queueUnread, remedyOf } from './remedies.ts';
import { type Totals, totalsOf } from './totals.ts';
import type { WorkerStatus } from './worker-status.ts';

/** A worker that was asked, with its address or name. */
export type AskedWorker =
  | { readonly where: string; readonly ok: true; readonly status: WorkerStatus }
  | { readonly where: string; readonly ok: false; readonly why: string };

/** A queue's counts, which SQS gives approximately. */
export type Depth = NonNullable<WorkerStatus['queues']['source']>;

/** undefined: not asked. */
export type QueueAnswer =
  | { readonly ok: true; readonly depth: Depth }
  | { readonly ok: false; readonly why: string }
  | undefined;

export type QueueName = keyof WorkerStatus['queues'];

/** The ledger does not answer, or accepts no changes. */
export interface LedgerAway {
  /** Epoch milliseconds. */
  readonly since: number;
  /** Without its full stop. */
  readonly why: string;
  /** The ledger can still be read, but accepts no changes. */
  readonly isRead?: true;
}

/** What the ledger does not do. */
export function whatIsAway({ isRead }: LedgerAway): string {
  return isRead ? 'The ledger takes no changes' : 'The ledger cannot be read';
}

export interface StatusFacts {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly workers: readonly AskedWorker[];
  /** As read by this process. The workers' own readings replace what it could not read. */
  readonly queues: Readonly<Partial<Record<QueueName, QueueAnswer>>>;
  /** undefined: it was not asked, or it answers. */
  readonly ledger?: LedgerAway | undefined;
}

/** Something that keeps updates from going through, or is worth knowing. */
export interface Problem {
  /** The workers, the queue or the ledger that it concerns. */
  readonly where: readonly string[];
  /** False: updates go through all the same. */
  readonly blocks: boolean;
  readonly why: string;
  /** ISO 8601 UTC; for several workers the earliest. */
  readonly since?: string;
  /** ISO 8601 UTC, if it ends by itself; for several workers the latest. */
  readonly until?: string;
  /** Name of the error. */
  readonly error?: string;
  /** What to do, if known: a sentence without its full stop. */
  readonly remedy?: string;
}

/** A sentence, without its full stop, that says whether anything is wrong. */
interface Verdict {
  readonly state: 'going' | 'idle' | 'blocked' | 'in-part' | 'unknown';
  readonly sentence: string;
}

/** Seconds until the queue is empty at the current pace if nothing more comes, or why that is unknown. */
type Drain = { readonly seconds: number } | { readonly unknown: string };

export interface Status {
  readonly now: number;
  readonly verdict: Verdict;
  readonly workers: readonly AskedWorker[];
  readonly totals: Totals;
  readonly queues: Readonly<Record<QueueName, Depth | undefined>>;
  /** Messages on the queue, including held ones; undefined if it could not be read. */
  readonly backlog: number | undefined;
  readonly drain: Drain;
  /** Blocking problems first. */
  readonly problems: readonly Problem[];
  /** The next sensible command: its words after the program's name; undefined if there is nothing to do. */
  readonly next: readonly string[] | undefined;
}

export function makeStatus({ now, workers, queues: asked, ledger }: StatusFacts): Status {
  const answering = workers.flatMap((worker) => (worker.ok ? [worker.status] : []));
  const totals = totalsOf(answering);
  const queues = {
    source: depthOf('source', asked, answering),
    deadLetter: depthOf('deadLetter', asked, answering),
    outcome: depthOf('outcome', asked, answering),
  };
  const waiting = sumOf(queues.source);
  // SQS's counts lag, and so do a worker's readings of them. What workers hold and have deferred certainly exists.
  const backlog = waiting === undefined ? undefined : Math.max(waiting, totals.held + totals.deferred);
  const problems = grouped([...problemsOf(workers, asked), ...problemOf(ledger)]).sort(
    (a, b) => Number(b.blocks) - Number(a.blocks),
  );
  const drain = drainOf(backlog, totals, answering.length);
  const isRead = Object.values(queues).some((depth) => depth !== undefined);
  const ofUpdates = verdictOf({ workers, answering: answering.length, isRead, backlog, totals, problems });
  const verdict = withLedger(ofUpdates, ledger);
  const dead = sumOf(queues.deadLetter) ?? 0;
  return {
    now,
    verdict,
    workers,
    totals,
    queues,
    backlog,
    drain,
    problems,
    next: nextOf(verdict.state, problems, dead),
  };
}

/** All messages of a queue; undefined if it was not read. */
export function sumOf(depth: Depth | undefined): number | undefined {
  const counts = [depth?.visible, depth?.inFlight, depth?.delayed].filter((each) => typeof each === 'number');
  return counts.length === 0 ? undefined : counts.reduce((a, b) => a + b, 0);
}

function depthOf(
  name: QueueName,
  asked: StatusFacts['queues'],
  workers: readonly WorkerStatus[],
): Depth | undefined {
  const own = asked[name];
  if (own?.ok === true) return own.depth;
  const read = workers.flatMap(({ queues }) => queues[name] ?? []);
  return read.sort((a, b) => epochMs(b.readAt) - epochMs(a.readAt))[0];
}

const queueNames = {
  source: 'update queue',
  deadLetter: 'dead-letter queue',
  outcome: 'outcome queue',
} as const satisfies Record<QueueName, string>;

function problemsOf(workers: readonly AskedWorker[], queues: StatusFacts['queues']): Problem[] {
  const ofQueues = Object.entries(queues).flatMap(([name, answer]): Problem[] =>
    answer?.ok === false
      ? [{ where: [queueNames[name as QueueName]], blocks: false, why: answer.why, remedy: queueUnread }]
      : [],
  );
  const ofWorkers = workers.flatMap((worker): Problem[] => {
    const where = [worker.where];
    if (!worker.ok) return [{ where, blocks: false, why: worker.why, remedy: askedInVain }];
    return worker.status.conditions.map(({ condition, of, effect, why, since, until, error }) => {
      const remedy = remedyOf(condition, why);
      return {
        where,
        blocks: effect !== 'noted',
        why: of === undefined ? why : `${of}: ${why}`,
        since,
        ...(until !== undefined && { until }),
        ...(error !== undefined && { error }),
        ...(remedy !== undefined && { remedy }),
      };
    });
  });
  return [...ofWorkers, ...ofQueues];
}

/** Merges the same problem of several workers into one. */
function grouped(problems: readonly Problem[]): Problem[] {
  const alike = Map.groupBy(problems, ({ blocks, why, error }) => JSON.stringify([blocks, why, error]));
  return [...alike.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const since = group.flatMap((each) => each.since ?? []).sort(byTime)[0];
    const until = group
      .flatMap((each) => each.until ?? [])
      .sort(byTime)
      .at(-1);
    return [
      {
        ...first,
        where: group.flatMap(({ where }) => where),
        ...(since !== undefined && { since }),
        ...(until !== undefined && { until }),
      },
    ];
  });
}

function byTime(a: string, b: string): number {
  return epochMs(a) - epochMs(b);
}

function drainOf(backlog: number | undefined, { finishedPerSecond }: Totals, workers: number): Drain {
  if (backlog === undefined) return { unknown: 'the update queue was not read' };
  if (backlog === 0) return { seconds: 0 };
  if (workers === 0) return { unknown: 'no worker answered' };
  if (finishedPerSecond === 0) return { unknown: 'nothing was finished in the last 10 s' };
  return { seconds: Math.ceil(backlog / finishedPerSecond) };
}

function problemOf(ledger: LedgerAway | undefined): Problem[] {
  if (ledger === undefined) return [];
  const since = new Date(ledger.since).toISOString();
  return [{ where: ['ledger'], blocks: false, why: ledger.why, since, remedy: remedyOfLedger(ledger) }];
}

function remedyOfLedger({ isRead }: LedgerAway): string {
  return isRead ? ledgerLocked : ledgerUnread;
}

/** Updates may go through without the ledger, so a verdict that already reports a problem with them keeps its state. */
function withLedger(ofUpdates: Verdict, ledger: LedgerAway | undefined): Verdict {
  if (ledger === undefined) return ofUpdates;
  const sentence = `${whatIsAway(ledger)} since ${instant(ledger.since)} UTC, and no job continues: ${remedyOfLedger(ledger)}`;
  if (ofUpdates.state === 'going' || ofUpdates.state === 'idle') return { state: 'in-part', sentence };
  return { ...ofUpdates, sentence: `${ofUpdates.sentence}. ${sentence}` };
}

interface VerdictFacts {
  readonly workers: readonly AskedWorker[];
  readonly answering: number;
  /** Whether any queue could be read. */
  readonly isRead: boolean;
  readonly backlog: number | undefined;
  readonly totals: Totals;
  readonly problems: readonly Problem[];
}

function verdictOf({ workers, answering, isRead, backlog, totals, problems }: VerdictFacts): Verdict {
  if (answering === 0) {
    const asked = workers.length === 0 ? 'No worker was asked' : 'No worker answered';
    const rest = isRead ? ': this shows only the queues' : ', and no queue could be read: nothing is known';
    return { state: 'unknown', sentence: `${asked}${rest}` };
  }
  const blocking = problems.filter(({ blocks }) => blocks);
  const blocked = new Set(blocking.flatMap(({ where }) => where)).size;
  const why = blocking[0]?.why ?? '';
  if (blocked >= answering) return { state: 'blocked', sentence: `Updates do not go through: ${why}` };
  if (blocked > 0)
    return {
      state: 'in-part',
      sentence: `Updates go through, but not through ${blocked} of ${answering} workers: ${why}`,
    };
  const silent = workers.length - answering;
  if (silent > 0)
    return {
      state: 'in-part',
      sentence: `${silent} of ${workers.length} workers did not answer; nothing is wrong with the others`,
    };
  if (totals.held === 0 && totals.callsPerSecond === 0 && (backlog ?? 0) === 0)
    return { state: 'idle', sentence: 'Nothing to do: no update is waiting or held' };
  if (totals.finishedPerSecond === 0 && totals.callsPerSecond === 0)
    return {
      state: 'going',
      sentence: 'Nothing is known to be wrong, and no call was made in the last 10 s',
    };
  return { state: 'going', sentence: 'Updates go through' };
}

function nextOf(state: Verdict['state'], problems: readonly Problem[], dead: number): Status['next'] {
  if (state === 'blocked' || problems.some(({ blocks }) => blocks)) return ['check'];
  if (state === 'unknown')
    return problems.some(({ where }) => where.includes(queueNames.source)) ? ['check'] : ['worker'];
  if (problems.some(({ where }) => where.includes('ledger'))) return ['check'];
  if (dead > 0) return ['dead-letters', 'list', '--group'];
  return state === 'going' ? ['status', '--watch'] : undefined;
}
