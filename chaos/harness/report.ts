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
    ['promises broken', found.broken.length === 0 ? 'none' : String(found.broken.length)],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const shown = found.broken.slice(0, 20).map((line) => `  ! ${line}`);
  return [...rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`), ...shown].join('\n');
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
  const total = [
    'all',
    '',
    ...columns.slice(2).map((_, i) => String(rows.reduce((sum, row) => sum + (Number(row[i + 2]) || 0), 0))),
  ];
  const lines = [columns, ...rows, total];
  const widths = columns.map((_, i) => Math.max(...lines.map((row) => row[i]?.length ?? 0)));
  const causes: Record<string, number> = {};
  for (const run of runs) {
    for (const [cause, n] of Object.entries(run.appliedAgainBecause))
      causes[cause] = (causes[cause] ?? 0) + n;
  }
  return [
    ...lines.map((row) => row.map((cell, i) => cell.padStart(widths[i] ?? 0)).join('  ')),
    `applied again because: ${listed(causes)}`,
  ].join('\n');
}

function faultsOf({ faults }: Findings): number {
  const counts = Object.values(faults).flatMap((byKind) => Object.entries(byKind));
  return counts.reduce((sum, [kind, n]) => sum + (kind === 'abandoned' || kind === 'raced' ? 0 : n), 0);
}

function deadOf({ deadLettered }: Findings): number {
  return Object.values(deadLettered).reduce((sum, n) => sum + n, 0);
}

function listed(counts: Readonly<Record<string, number | string>>): string {
  const entries = Object.entries(counts);
  return entries.length === 0 ? 'none' : entries.map(([name, n]) => `${name} ${n}`).join(', ');
}
