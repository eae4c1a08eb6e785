/** The findings of a run with a bulk job, and the promises it broke. */
import { compareReport, JOB, type PlanCounts, planFaults } from '../../testing/proof/job.ts';
import { effectiveCalls, whyAgain } from '../harness/causes.ts';
import { holdsOf } from '../harness/holds.ts';
import type { Stage } from '../harness/stage.ts';
import type { Fleet } from '../harness/workers.ts';
import { auditFaults, type LogEntry } from './audit.ts';
import { byRow, type Sending, sendingsOf, sentWithoutLease, type Taking, whySentAgain } from './sends.ts';
import type { Shell } from './shell.ts';

export type LedgerKind = 'sqlite' | 'postgres';

type Counts = Readonly<Record<string, number>>;

export interface JobFindings {
  readonly seed: number;
  readonly ledger: LedgerKind;
  readonly seconds: number;
  /** By proxy, then by kind. */
  readonly faults: Readonly<Record<string, Counts>>;
  readonly kills: number;
  readonly stops: number;
  /** How often a process took the right to send the job. */
  readonly takings: number;
  /** Commands that were typed, and how many of them succeeded. */
  readonly typed: number;
  readonly typedWell: number;
  readonly rows: number;
  /** Rows of the report by state, and by the error of the failed ones. */
  readonly ends: Counts;
  /** Rows without an end, or with an end that differs from the API or from their kind. */
  readonly withoutTrueEnd: number;
  /** Messages that the queue accepted beyond one per row. */
  readonly sentAgain: number;
  readonly sentAgainBecause: Counts;
  /** Rows that may have been sent twice, as the ledger counts them. */
  readonly maybeTwice: number;
  /** Calls that took effect beyond one per row. */
  readonly appliedAgain: number;
  readonly appliedAgainBecause: Counts;
  readonly calls: number;
  /** One line for each broken promise. */
  readonly broken: readonly string[];
}

export interface JobRunRecord {
  readonly seed: number;
  readonly ledger: LedgerKind;
  readonly rows: number;
  readonly seconds: number;
  readonly plan: PlanCounts;
  /** Calls that took effect before the job. */
  readonly before: number;
  readonly folder: string;
  readonly stage: Stage;
  readonly fleet: Fleet;
  readonly shell: Shell;
  readonly takings: readonly Taking[];
  readonly visibilitySeconds: number;
}

interface Standing {
  readonly state: { readonly name: string };
  readonly rows: number;
  readonly ended: number;
  readonly maybeSentTwice: number;
  readonly foreignOutcomes: number;
  readonly outcomesOfNoRow: number;
  readonly settings: Readonly<Record<string, unknown>>;
}

export async function jobFindings(record: JobRunRecord): Promise<JobFindings> {
  const { stage, fleet, shell, takings, rows, plan, seconds } = record;
  const standing = JSON.parse((await shell.run('jobs', 'status', JOB, '--json')).stdout) as Standing;
  const log = await logOf(shell);
  const compared = await compareReport({ api: stage.api }, shell, record.folder, rows);
  const sendings = sendingsOf(stage.sqsExchanges, stage.queue);
  const sentRows = byRow(sendings);
  const sentAgainBecause = countOf(
    [...sentRows.values()].flatMap((some) => whySentAgain(some, takings, fleet)),
  );
  const appliedAgainBecause = countOf(causesOf(record, sentRows));
  const sentAgain = sendings.length - sentRows.size;
  const late = sentWithoutLease(sendings, takings);
  const { lastSet = {} } = shell;
  const wrongSettings = Object.entries(lastSet).filter(([name, value]) => standing.settings[name] !== value);
  const open = standing.rows - standing.ended;
  const broken = [
    ...planFaults(plan, rows),
    ...compared.mismatches,
    ...(standing.state.name === 'done' ? [] : [`the job is ${standing.state.name}, not done`]),
    ...(open === 0 ? [] : [`${open} rows are open`]),
    ...(standing.maybeSentTwice >= sentAgain
      ? []
      : [`the queue took ${sentAgain} messages again, the ledger counts ${standing.maybeSentTwice}`]),
    ...(standing.foreignOutcomes === 0 ? [] : [`${standing.foreignOutcomes} outcomes are taken for foreign`]),
    ...(standing.outcomesOfNoRow === 0 ? [] : [`${standing.outcomesOfNoRow} outcomes are of no row`]),
    ...late.map(
      ({ name, sender }) => `${name} was sent by ${sender} after another process had taken the job`,
    ),
    ...(sentAgainBecause.unexplained === undefined
      ? []
      : [`${sentAgainBecause.unexplained} messages were sent again, and nothing explains it`]),
    ...wrongSettings.map(
      ([name, value]) => `jobs set ${name} ${value} was lost: it is ${String(standing.settings[name])}`,
    ),
    ...auditFaults(shell.typed, log),
    ...fleet.unexpected,
  ];
  return {
    seed: record.seed,
    ledger: record.ledger,
    seconds: Math.round(seconds * 10) / 10,
    faults: {
      sqs: stage.sqsProxy.counts.toJSON(),
      api: stage.apiProxy.counts.toJSON(),
      sts: stage.stsCounts.toJSON(),
      ...(stage.ledgerProxy && { ledger: stage.ledgerProxy.counts.toJSON() }),
    },
    kills: fleet.count('killed'),
    stops: fleet.count('stopped'),
    takings: takings.length,
    typed: shell.typed.length,
    typedWell: shell.typed.filter(({ exitCode }) => exitCode === 0).length,
    rows: compared.rows,
    ends: compared.ends,
    withoutTrueEnd: compared.mismatches.length,
    sentAgain,
    sentAgainBecause,
    maybeTwice: standing.maybeSentTwice,
    appliedAgain: Object.values(appliedAgainBecause).reduce((sum, n) => sum + n, 0),
    appliedAgainBecause,
    calls: stage.api.stats().calls,
    broken,
  };
}

/** Oldest change first. */
async function logOf(shell: Shell): Promise<readonly LogEntry[]> {
  const { stdout } = await shell.run('jobs', 'log', JOB, '--max', '100000', '--json');
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as LogEntry).toReversed();
}

/** For each call that took effect after another one for the same row: why. */
function causesOf(
  { stage, fleet, visibilitySeconds }: JobRunRecord,
  sentRows: ReadonlyMap<string, readonly Sending[]>,
): readonly string[] {
  const holds = Map.groupBy(holdsOf(stage.sqsExchanges, stage.queue, visibilitySeconds), ({ body }) => body);
  const calls = Map.groupBy(
    stage.apiExchanges.filter(({ action }) => action === 'PUT'),
    ({ path }) => path,
  );
  return [...sentRows.values()].flatMap((sendings) => {
    const [first] = sendings;
    if (first === undefined) return [];
    const own = effectiveCalls(calls.get(`/ota-tasks/${first.identifier}`) ?? []);
    if (sendings.length > 1) return own.slice(1).map(() => 'sent twice');
    return whyAgain(own, holds.get(first.body) ?? [], fleet);
  });
}

function countOf(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
