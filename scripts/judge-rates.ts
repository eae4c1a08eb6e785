/**
 * Judges rate controllers on families of limiters, in simulated time, against what a caller that knows everything could have
 * had: prints Markdown tables. Deterministic: the same source gives the same figures.
 *
 *     npm run judge-rates -- [SEEDS] [part of a family's name] [part of a candidate's name]
 *     npm run judge-rates -- [SEEDS] [part of a family's name] all       compares what others use
 *     npm run judge-rates -- [SEEDS] [part of a family's name] ablate    ours without one mechanism at a time
 *     npm run judge-rates -- pictures                                    writes bench/results/rates-*.svg
 *     npm run judge-rates -- report                                      writes these and bench/results/rates.md with all tables
 */
import { writeFileSync } from 'node:fs';
import { ablations } from '../testing/rates/ablations.ts';
import { rejectedCandidates } from '../testing/rates/candidates.ts';
import { compareAll, judgeAll } from '../testing/rates/comparison.ts';
import { families } from '../testing/rates/families.ts';
import { peers } from '../testing/rates/peers.ts';
import { picture, pictured } from '../testing/rates/pictures.ts';
import { ours, tuned } from '../testing/rates/scenarios.ts';
import { readSeeds } from '../testing/rates/seeds.ts';

const SEEDS = 5;
/** For the part of the report that judges only ours: the number of seeds that the requirements are meant for. */
const REPORT_SEEDS = 20;

const besidePeers = [ours, ...peers];
const ablated = [ours, ...ablations.map(({ name, tuning }) => tuned(name, tuning))];

const print = (text: string): void => {
  process.stdout.write(text);
};

function writeResult(name: string, text: string): void {
  writeFileSync(new URL(`../bench/results/${name}`, import.meta.url), text);
  print(`wrote bench/results/${name}\n`);
}

function writePictures(): void {
  for (const family of families) {
    const file = pictured.get(family.name);
    if (file !== undefined) writeResult(`${file}.svg`, picture(family, ours));
  }
}

function writeReport(): void {
  const parts = [
    '# The adaptive rate on limiters of many kinds\n\nWritten by `npm run judge-rates -- report`, in simulated time: the same source gives the same figures. Each figure is a median\nover the seeds. The families are in `testing/rates/families/`.\n\n## Ours\n\n',
  ];
  const add = (text: string): void => {
    parts.push(text);
  };
  judgeAll(families, ours, REPORT_SEEDS, add);
  add('\n## Beside what others use\n\n');
  compareAll(families, besidePeers, SEEDS, add);
  add('\n## Without one mechanism at a time\n\n');
  compareAll(families, ablated, SEEDS, add);
  add('\n## Pictures\n');
  for (const [name, file] of pictured) add(`\n![${name}](${file}.svg)\n`);
  writeResult('rates.md', parts.join(''));
}

const [first = String(SEEDS), part = '', name = ours.name] = process.argv.slice(2);
if (first === 'pictures' || first === 'report') {
  writePictures();
  if (first === 'report') writeReport();
} else {
  const seeds = readSeeds(first);
  const chosen = families.filter((family) => family.name.includes(part));
  if (chosen.length === 0) throw new Error(`no family has ${part} in its name`);
  const candidate = [...besidePeers, ...rejectedCandidates].find((each) => each.name.includes(name));
  if (name === 'all') compareAll(chosen, besidePeers, seeds, print);
  else if (name === 'ablate') compareAll(chosen, ablated, seeds, print);
  else if (candidate === undefined) throw new Error(`no candidate is named ${name}`);
  else judgeAll(chosen, candidate, seeds, print);
}
