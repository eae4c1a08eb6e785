/** Findings about bulk jobs as text. PURE. */
import { describe, faultsOf, listed, summed, sumOf } from '../harness/report.ts';
import type { JobFindings } from './findings.ts';

/** One run, line by line. */
export function describeJobFindings(found: JobFindings): string {
  const rows: readonly (readonly [string, string])[] = [
    ['seed', `${found.seed}, ${found.ledger}`],
    ['time', `${found.seconds} s`],
    ...Object.entries(found.faults).map(([proxy, counts]) => [`faults, ${proxy}`, listed(counts)] as const),
    ['processes', `${found.kills} killed, ${found.stops} stopped; the job was taken ${found.takings} times`],
    ['commands', `${found.typed} typed, ${found.typedWell} of them succeeded`],
    ['rows', `${found.rows}, ${found.withoutTrueEnd} without a true end`],
    ['ends', listed(found.ends)],
    ['calls', String(found.calls)],
    [
      'sent again',
      `${found.sentAgain} (${listed(found.sentAgainBecause)}); by the ledger at most ${found.maybeTwice}`,
    ],
    ['applied again', `${found.appliedAgain} (${listed(found.appliedAgainBecause)})`],
  ];
  return describe(rows, found.broken);
}

/** Several runs, one row each, and their sum. */
export function tableOfJobs(runs: readonly JobFindings[]): string {
  const columns = [
    'seed',
    'time',
    'faults',
    'kills',
    'taken',
    'typed',
    'rows',
    'no true end',
    'sent again',
    'ledger says',
    'applied again',
    'broken',
  ];
  const rows = runs.map((run) =>
    [
      run.seed,
      `${run.seconds.toFixed(0)} s`,
      faultsOf(run),
      run.kills,
      run.takings,
      run.typed,
      run.rows,
      run.withoutTrueEnd,
      run.sentAgain,
      run.maybeTwice,
      run.appliedAgain,
      run.broken.length,
    ].map(String),
  );
  return [
    ...summed(columns, rows),
    `sent again because: ${listed(sumOf(runs.map(({ sentAgainBecause }) => sentAgainBecause)))}`,
    `applied again because: ${listed(sumOf(runs.map(({ appliedAgainBecause }) => appliedAgainBecause)))}`,
  ].join('\n');
}
