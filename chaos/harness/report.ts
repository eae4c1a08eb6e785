/** Findings as text. PURE. */
import type { Findings } from './findings.ts';

/** One run, line by line. */
export function describeFindings(found: Findings): string {
  const { longestUnattended, orderViolations } = found;
  const rows: [string, string][] = [
    ['seed', `${found.seed}${found.fifo ? ', FIFO' : ''}${found.redis ? ', Redis' : ''}`],
    ['time', `${found.seconds} s`],
    ...Object.entries(found.faults).map(([proxy, counts]): [string, string] => [
      `faults, ${proxy}`,
      listed(counts),
    ]),
    ['workers', `${found.kills} killed, ${found.stops} stopped`],
    ['updates', String(found.updates)],
    ['calls', String(found.calls)],
    ['applied', String(found.applied)],
    ['superseded', String(found.superseded)],
    ['dead-lettered', listed(found.deadLettered)],
    ['missing', String(found.missing)],
    ['applied more than once', `${found.appliedMoreThanOnce} (${listed(found.appliedAgainBecause)})`],
    ['dead-lettered more than once', String(found.deadLetteredMoreThanOnce)],
    ['applied and dead-lettered', String(found.bothAppliedAndDead)],
    ['order violations', orderViolations === undefined ? 'no order promised' : String(orderViolations)],
    ['leases lost', `${found.leasesLost}; ${found.heldByTwo} times held by two workers`],
    [
      'longest invisible without a worker',
      listed(
        Object.fromEntries(
          Object.entries(longestUnattended).map(([k, ms]) => [k, `${(ms / 1_000).toFixed(1)} s`]),
        ),
      ),
    ],
  ];
  return describe(rows, found.broken);
}

/** Names and values, and the broken promises. */
export function describe(rows: readonly (readonly [string, string])[], broken: readonly string[]): string {
  const all: typeof rows = [
    ...rows,
    ['promises broken', broken.length === 0 ? 'none' : String(broken.length)],
  ];
  const width = Math.max(...all.map(([name]) => name.length));
  const shown = broken.slice(0, 20).map((line) => `  ! ${line}`);
  return [...all.map(([name, value]) => `${name.padEnd(width)}  ${value}`), ...shown].join('\n');
}

/** Several runs, one row each, and their sum. */
export function tableOf(runs: readonly Findings[]): string {
  const columns = [
    'seed',
    'time',
    'faults',
    'kills',
    'stops',
    'applied',
    'superseded',
    'dead',
    'missing',
    'again',
    'order',
    'broken',
  ];
  const rows = runs.map((run) => [
    String(run.seed),
    `${run.seconds.toFixed(0)} s`,
    ...[faultsOf(run), run.kills, run.stops, run.applied, run.superseded, deadOf(run), run.missing].map(
      String,
    ),
    String(run.appliedMoreThanOnce),
    run.orderViolations === undefined ? '-' : String(run.orderViolations),
    String(run.broken.length),
  ]);
  const causes = sumOf(runs.map(({ appliedAgainBecause }) => appliedAgainBecause));
  return [...summed(columns, rows), `applied again because: ${listed(causes)}`].join('\n');
}

/** A table of runs, with a row that sums the columns from the third on. */
export function summed(columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const total = [
    'all',
    '',
    ...columns.slice(2).map((_, i) => String(rows.reduce((sum, row) => sum + (Number(row[i + 2]) || 0), 0))),
  ];
  const lines = [columns, ...rows, total];
  const widths = columns.map((_, i) => Math.max(...lines.map((row) => row[i]?.length ?? 0)));
  return lines.map((row) => row.map((cell, i) => cell.padStart(widths[i] ?? 0)).join('  '));
}

export function sumOf(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const [name, n] of all.flatMap(Object.entries)) sum[name] = (sum[name] ?? 0) + n;
  return sum;
}

export function faultsOf({ faults }: Pick<Findings, 'faults'>): number {
  const counts = Object.values(faults).flatMap((byKind) => Object.entries(byKind));
  return counts.reduce((sum, [kind, n]) => sum + (kind === 'abandoned' || kind === 'raced' ? 0 : n), 0);
}

function deadOf({ deadLettered }: Findings): number {
  return Object.values(deadLettered).reduce((sum, n) => sum + n, 0);
}

export function listed(counts: Readonly<Record<string, number | string>>): string {
  const entries = Object.entries(counts);
  return entries.length === 0 ? 'none' : entries.map(([name, n]) => `${name} ${n}`).join(', ');
}
