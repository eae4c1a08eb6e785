/**
 * Compares the adaptive rate with the candidates that were not chosen, in simulated time: prints Markdown tables and
 * draws docs/decisions/adaptive-rate.svg. Deterministic: the same source gives the same figures.
 */
import { writeFileSync } from 'node:fs';
import { type LineChart, lineCharts, type Point, palette } from '../testing/plots/svg.ts';
import { aimd5, type Candidate, cubic, rejectedCandidates } from '../testing/rates/candidates.ts';
import {
  evenness,
  secondsToWithin10Percent,
  shareOfLimit,
  shareThrottled,
} from '../testing/rates/measures.ts';
import {
  busyMachine,
  median,
  ours,
  runs,
  type ScenarioOf,
  singleWorker,
  steps,
  twoAndAStranger,
  twoWorkers,
} from '../testing/rates/scenarios.ts';
import { type SimulationResult, simulate } from '../testing/rates/simulator.ts';

const singles: readonly (readonly [string, ScenarioOf])[] = [
  ['200/s', singleWorker({ limit: 200, burst: 20, ceiling: 400 })],
  ['500/s', singleWorker({ limit: 500, burst: 20, ceiling: 1_000 })],
  ['500/s, a busy machine', singleWorker({ limit: 500, burst: 20, ceiling: 1_000, stalls: busyMachine })],
  ['50/s', singleWorker({ limit: 50, burst: 5, ceiling: 100 })],
  ['20/s', singleWorker({ limit: 20, burst: 2, ceiling: 40 })],
  ['2/s, 10 minutes', singleWorker({ limit: 2, burst: 2, ceiling: 4, seconds: 600 })],
  ['200/s, latency 300 ms', singleWorker({ limit: 200, burst: 20, ceiling: 400, latencyMs: 300 })],
  ['200/s, `RATE_LIMIT` 180', singleWorker({ limit: 200, burst: 20, ceiling: 180 })],
  [
    '200/s, `RATE_LIMIT` unlimited, 50 in flight',
    singleWorker({ limit: 200, burst: 20, ceiling: Number.POSITIVE_INFINITY, concurrency: 50 }),
  ],
  ['20/s, `RATE_LIMIT` 1000', singleWorker({ limit: 20, burst: 2, ceiling: 1_000 })],
];

const pairs: readonly (readonly [string, ScenarioOf])[] = [
  ['200/s, a stranger at 50/s: 75/s each', twoAndAStranger],
  ['500/s: 250/s each', twoWorkers({ limit: 500, burst: 20, ceiling: 1_000, stranger: 0 })],
  ['50/s: 25/s each', twoWorkers({ limit: 50, burst: 5, ceiling: 100, stranger: 0 })],
];

const candidates: readonly Candidate[] = [ours, ...rejectedCandidates];

const SEEDS = 8;
const PAIR_SEEDS = 24;

const percent = (share: number, digits = 1): string => `${(share * 100).toFixed(digits)}%`;
const seconds = (s: number): string => (Number.isFinite(s) ? `${s} s` : 'never');

function singleCell(of: ScenarioOf, candidate: Candidate): string {
  const all = runs(of, candidate, SEEDS).map(({ scenario, result }) => {
    const end = scenario.durationMs / 1_000;
    return [shareOfLimit(result, scenario, 3, end), shareThrottled(result, [0], 0, end)] as const;
  });
  return `${percent(median(all.map(([share]) => share)))} / ${percent(median(all.map(([, wasted]) => wasted)))}`;
}

function stepsCell(candidate: Candidate): string {
  const all = runs(steps, candidate, SEEDS);
  const down = median(all.map(({ result }) => secondsToWithin10Percent(result, 0, 50, 60, 120)));
  const up = median(all.map(({ result }) => secondsToWithin10Percent(result, 0, 200, 120, 180)));
  return `${seconds(down)} / ${seconds(up)}`;
}

function pairCell(of: ScenarioOf, candidate: Candidate): string {
  const all = runs(of, candidate, PAIR_SEEDS);
  const even = all.map(({ result }) => evenness(result, 60, 120));
  const over = even.filter((ratio) => ratio < 0.85).length / even.length;
  const filled = median(all.map(({ scenario, result }) => shareOfLimit(result, scenario, 60, 120)));
  return `${median(even).toFixed(2)} / ${Math.min(...even).toFixed(2)} / ${percent(over, 0)} / ${percent(filled, 0)}`;
}

function table(
  title: string,
  rows: readonly (readonly [string, (candidate: Candidate) => string])[],
): string {
  const lines = [
    [title, ...candidates.map(({ name }) => name)],
    ['---', ...candidates.map(() => '---')],
    ...rows.map(([name, cell]) => [name, ...candidates.map(cell)]),
  ];
  return lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

/** Every table of the decision, as Markdown. */
function tables(): string {
  const single = singles.map(([name, of]) => [name, (c: Candidate) => singleCell(of, c)] as const);
  const pair = pairs.map(([name, of]) => [name, (c: Candidate) => pairCell(of, c)] as const);
  return [
    table('share of the limit after 3 s / share of 429s', single),
    table('seconds to within 10%', [['200 to 50 / 50 to 200', stepsCell]]),
    table('evenness: median / worst / runs below 0.85 / share of the limit', pair),
  ].join('\n');
}

const points = (values: readonly number[]): Point[] => values.map((value, i) => ({ at: i + 1, value }));

const rates = (result: SimulationResult, worker: number): Point[] =>
  points((result.seconds[worker] ?? []).map(({ rate }) => rate));

/** The charts of the decision, each a run of one seed. */
function charts(): LineChart[] {
  const seed = 1;
  const [first, second, third] = palette;
  const stepping = (candidate: Candidate): Point[] => rates(simulate(steps(candidate, seed)), 0);
  const { limit } = steps(ours, seed);
  const limits = Array.from({ length: 180 }, (_, at) => limit(at * 1_000));
  const pair = (candidate: Candidate): LineChart => {
    const result = simulate(twoAndAStranger(candidate, seed));
    return {
      title: `Two workers, ${candidate.name}: the limit is 200/s, a stranger takes 50/s`,
      unit: 'calls per second',
      top: 200,
      lines: [
        { name: 'fair', points: points(Array(120).fill(75)), dashed: true },
        { name: 'first worker', color: first, points: rates(result, 0) },
        { name: 'second worker', color: second, points: rates(result, 1) },
      ],
    };
  };
  return [
    {
      title: 'One worker, the limit steps 200, 50, 200; RATE_LIMIT is 400',
      unit: 'calls per second',
      top: 300,
      lines: [
        { name: 'limit', points: points(limits), dashed: true },
        { name: cubic.name, color: third, points: stepping(cubic) },
        { name: aimd5.name, color: second, points: stepping(aimd5) },
        { name: ours.name, color: first, points: stepping(ours) },
      ],
    },
    pair(ours),
    pair(aimd5),
  ];
}

if (import.meta.main) {
  process.stdout.write(tables());
  const picture = new URL('../docs/decisions/adaptive-rate.svg', import.meta.url);
  writeFileSync(picture, lineCharts(charts()));
  process.stderr.write('wrote docs/decisions/adaptive-rate.svg\n');
}
