/**
 * Judges a fleet that finds one rate through Redis, in simulated time: prints Markdown tables. Deterministic: the same source
 * gives the same figures.
 *
 *     npm run judge-fleets -- [SEEDS]
 */
import { fleetTuning, type Tuning } from '../src/ota/rate/adaptive/tuning.ts';
import { judgeBeside, judgeFleet, judgeNoise, neighbours } from '../testing/rates/fleet-measures.ts';
import { readSeeds } from '../testing/rates/seeds.ts';

const [seeds = 20] = process.argv.slice(2).map(readSeeds);
const limits = [10, 20, 50, 100, 200, 500];
const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

print(
  '| of the limit / 429s / farthest from an even part | 2 workers | 4 | 8 | 32 |\n| --- | --- | --- | --- | --- |',
);
for (const limit of limits) {
  const cells = [2, 4, 8, 32].map((workers) => {
    const { sum, throttled, uneven } = judgeFleet(workers, limit, seeds);
    return `${percent(sum)} / ${percent(throttled)} / ${percent(uneven)}`;
  });
  print(`| ${limit}/s | ${cells.join(' | ')} |`);
}

print('\n| four workers, 30 minutes: mean / worst 20 s / 20 s below 80% | 1% of noise | 3% | 10% |');
print('| --- | --- | --- | --- |');
for (const limit of [20, 50, 200]) {
  const cells = [0.01, 0.03, 0.1].map((noise) => {
    const { mean, worst, low } = judgeNoise(limit, noise, seeds);
    return `${percent(mean)} / ${percent(worst)} / ${percent(low)}`;
  });
  print(`| ${limit}/s | ${cells.join(' | ')} |`);
}

const { noise } = fleetTuning;
const variants: readonly [name: string, tuning: Tuning][] = [
  ['four workers beside', fleetTuning],
  ['without dips of its own', { ...fleetTuning, noise: { ...noise, alone: undefined } }],
];
const shared = [20, 50, 200];
for (const [name, tuning] of variants) {
  print(
    `\n| ${name}: of what is left / fleets below half of it / 429s / the others' 429s | ${shared.map((limit) => `${limit}/s`).join(' | ')} |`,
  );
  print('| --- | --- | --- | --- |');
  for (const each of neighbours) {
    const cells = shared.map((limit) => {
      const { part, starved, throttled, theirs } = judgeBeside(each, limit, seeds, tuning);
      return [part, starved, throttled, theirs].map(percent).join(' / ');
    });
    print(`| ${each.name} | ${cells.join(' | ')} |`);
  }
}
