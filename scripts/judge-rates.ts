/**
 * Judges controllers of the rate on families of limiters, in simulated time, by what a caller who knew everything could have
 * had: prints Markdown tables. Deterministic: the same source gives the same figures.
 *
 *     npm run judge-rates -- [SEEDS] [part of a family's name] [part of a candidate's name]
 *     npm run judge-rates -- [SEEDS] [part of a family's name] all       what others use, beside each other
 *     npm run judge-rates -- [SEEDS] [part of a family's name] ablate    ours without one mechanism at a time
 *     npm run judge-rates -- pictures                                    writes bench/results/rates-*.svg
 */
import { writeFileSync } from 'node:fs';
import { AdaptiveRate } from '../src/ota/rate/adaptive-rate.ts';
import { ablations } from '../testing/rates/ablations.ts';
import { type Candidate, rejectedCandidates } from '../testing/rates/candidates.ts';
import { compareAll, judgeAll } from '../testing/rates/comparison.ts';
import { families } from '../testing/rates/families.ts';
import { peers } from '../testing/rates/peers.ts';
import { picture, pictured } from '../testing/rates/pictures.ts';
import { ours } from '../testing/rates/scenarios.ts';

const DEFAULT_SEEDS = '5';

const ablated = ablations.map(
  ({ name, tuning }): Candidate => ({
    name,
    create: (ceiling) => new AdaptiveRate({ ceiling, tuning, onChange: () => {} }),
  }),
);

const [seeds = DEFAULT_SEEDS, part = '', name = ours.name] = process.argv.slice(2);
const chosen = families.filter((family) => family.name.includes(part));
const write = (text: string): void => {
  process.stdout.write(text);
};
if (seeds === 'pictures') {
  for (const family of families) {
    const file = pictured.get(family.name);
    if (file === undefined) continue;
    writeFileSync(new URL(`../bench/results/${file}.svg`, import.meta.url), picture(family, ours));
    write(`wrote bench/results/${file}.svg\n`);
  }
} else if (name === 'all') compareAll(chosen, [ours, ...peers], Number(seeds), write);
else if (name === 'ablate') compareAll(chosen, [ours, ...ablated], Number(seeds), write);
else {
  const candidate = [ours, ...peers, ...rejectedCandidates].find((each) => each.name.includes(name));
  if (candidate === undefined) throw new Error(`no candidate is named ${name}`);
  judgeAll(chosen, candidate, Number(seeds), write);
}
