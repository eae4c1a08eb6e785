/**
 * Pictures of a controller at work: its rate, what was accepted and what was refused, compared with the true limit.
 * PURE.
 */
import { type LineChart, lineCharts, type Point } from '../plots/svg.ts';
import type { Candidate } from './candidates.ts';
import type { Family } from './family.ts';
import { simulate } from './simulator.ts';

/** Families with a picture, by name, and the picture's name. */
export const pictured: ReadonlyMap<string, string> = new Map([
  ['bucket 200/s', 'rates-bucket'],
  ['bucket 200/s, noise 3%', 'rates-noise'],
  ['fixed window, 600 in 60 s', 'rates-window'],
  ['200/s in ticks of 10 s', 'rates-ticks'],
  ['200/s, a step to a fifth and back', 'rates-steps'],
  ['8 workers on 200/s', 'rates-fleet'],
]);

/** The axis ends at this multiple of the greatest limit: a rate at the start may be many times the limit. */
const TOP = 2;

const UNIT = 'calls per second';

/** An SVG of one run, with the first seed: all workers together; for a fleet, also each worker's rate. */
export function picture(family: Family, candidate: Candidate): string {
  const { seconds } = simulate(family.scenario(candidate.create, 1));
  const workers = seconds.slice(0, family.workers);
  const limits = each(family.seconds, (second) => family.limit(second * 1_000 + 500));
  const top = TOP * Math.max(...limits.map(({ value }) => value));
  const sum = (of: 'rate' | 'accepted' | 'throttled'): Point[] =>
    each(family.seconds, (second) => workers.reduce((all, worker) => all + (worker[second]?.[of] ?? 0), 0));
  const together: LineChart = {
    title: `${family.name}: ${candidate.name}, RATE_LIMIT ${family.ceiling}/s${family.workers > 1 ? ' each' : ''}`,
    unit: UNIT,
    top,
    lines: [
      { name: 'limit', points: limits, dashed: true },
      { name: 'rate in force', points: sum('rate'), color: '#8a9a1b' },
      { name: 'accepted', points: sum('accepted'), color: '#1f77b4' },
      { name: '429s', points: sum('throttled'), color: '#d1495b' },
    ],
  };
  if (family.workers === 1) return lineCharts([together]);
  const rates = workers.map((worker, i) => ({
    name: `worker ${i + 1}`,
    color: `hsl(${Math.round((360 * i) / workers.length)} 60% 45%)`,
    points: each(family.seconds, (second) => worker[second]?.rate ?? 0),
  }));
  const parts = {
    name: 'fair',
    points: limits.map(({ at, value }) => ({ at, value: value / family.workers })),
    dashed: true,
  };
  return lineCharts([
    together,
    {
      title: 'The rate of each worker',
      unit: UNIT,
      top: (TOP * top) / family.workers,
      lines: [parts, ...rates],
    },
  ]);
}

/** The value of a second is drawn at its end. */
function each(seconds: number, value: (second: number) => number): Point[] {
  return Array.from({ length: seconds }, (_, second) => ({ at: second + 1, value: value(second) }));
}
