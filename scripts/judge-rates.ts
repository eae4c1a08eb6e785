/**
 * Judges a controller of the rate on every family of limiters, in simulated time, by what a caller who knew everything could
 * have had: prints a Markdown table. Deterministic: the same source gives the same figures.
 *
 *     npm run judge-rates -- [SEEDS] [part of a family's name] [part of a candidate's name]
 */
import { isWithin } from '../testing/rates/asks.ts';
import { type Candidate, rejectedCandidates } from '../testing/rates/candidates.ts';
import { families } from '../testing/rates/families.ts';
import type { Ask, Family } from '../testing/rates/family.ts';
import { couldBeHad, judge } from '../testing/rates/judge.ts';
import { ours } from '../testing/rates/scenarios.ts';

const DEFAULT_SEEDS = 5;
/** The search for the best fixed rate needs fewer: a fixed rate varies little. */
const SEARCH_SEEDS = 3;

const percent = (share: number): string => `${(share * 100).toFixed(1)}%`;

function answer(ask: Ask, value: number): string {
  const show = (each: number): string => {
    if (ask.unit === 'index') return each.toFixed(2);
    return ask.unit === 'points' ? `${(each * 100).toFixed(1)} points` : `${each} s`;
  };
  const bound = ask.most === undefined ? `at least ${show(ask.least ?? 0)}` : `at most ${show(ask.most)}`;
  const seen = Number.isFinite(value) ? show(value) : 'never';
  return `${ask.name} ${seen} (${bound}${isWithin(ask, value) ? '' : ': no'})`;
}

function row(family: Family, candidate: Candidate, seeds: number): { passed: boolean; line: string } {
  const verdict = judge(family, candidate, seeds, couldBeHad(family, SEARCH_SEEDS));
  const { goodput, best, throttled, answers, passed } = verdict;
  const cells = [
    `${family.name}${family.heldOut ? ' (held out)' : ''}`,
    percent(goodput),
    `${percent(goodput / best)} of ${percent(best)}`,
    `at least ${percent(family.share)}`,
    percent(throttled),
    `at most ${percent(family.throttled)}`,
    answers.map(({ ask, value }) => answer(ask, value)).join('; '),
    passed ? 'yes' : 'no',
  ];
  return { passed, line: `| ${cells.join(' | ')} |\n` };
}

const [seeds = String(DEFAULT_SEEDS), part = '', name = ours.name] = process.argv.slice(2);
const candidate = [ours, ...rejectedCandidates].find((each) => each.name.includes(name));
if (candidate === undefined) throw new Error(`no candidate is named ${name}`);
process.stdout.write(
  '| limiter | of the limit | of what could be had | asked | 429s | asked | besides | passed |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n',
);
const chosen = families.filter((family) => family.name.includes(part));
let count = 0;
for (const each of chosen) {
  const { passed, line } = row(each, candidate, Number(seeds));
  if (passed) count++;
  process.stdout.write(line);
}
process.stdout.write(`\n${candidate.name}: ${count} of ${chosen.length} passed, ${seeds} seeds\n`);
