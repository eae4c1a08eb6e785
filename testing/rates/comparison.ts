/** Compares candidates on families of limiters, as Markdown tables. */
import { isWithin } from './asks.ts';
import type { Candidate } from './candidates.ts';
import type { Ask, Family } from './family.ts';
import { couldBeHad, judge, type Verdict } from './judge.ts';
import { median } from './scenarios.ts';

/** The search for the best fixed rate needs few seeds: a fixed rate varies little. */
const SEARCH_SEEDS = 3;

const percent = (share: number): string => `${(share * 100).toFixed(1)}%`;
const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
const head = (cells: readonly string[]): string => line(cells) + line(cells.map(() => '---'));

/** One candidate, one row per family. @param write is called with each row when it is known. */
export function judgeAll(
  families: readonly Family[],
  candidate: Candidate,
  seeds: number,
  write: (text: string) => void,
): void {
  write(
    head(['limiter', 'of the limit', 'of what could be had', 'asked', '429s', 'asked', 'besides', 'passed']),
  );
  const passed: boolean[] = [];
  for (const family of families) {
    const verdict = judge(family, candidate, seeds, couldBeHad(family, SEARCH_SEEDS));
    passed.push(verdict.passed);
    write(row(family, verdict));
  }
  const heldOut = passed.filter((_, i) => families[i]?.heldOut);
  const of = (verdicts: readonly boolean[]): string =>
    `${verdicts.filter((each) => each).length} of ${verdicts.length}`;
  write(`\n${candidate.name}: ${of(passed)} passed, of those held out ${of(heldOut)}; ${seeds} seeds\n`);
}

function row(family: Family, { goodput, best, throttled, answers, passed }: Verdict): string {
  return line([
    `${family.name}${family.heldOut ? ' (held out)' : ''}`,
    percent(goodput),
    `${percent(goodput / best)} of ${percent(best)}`,
    `at least ${percent(family.share)}`,
    percent(throttled),
    `at most ${percent(family.throttled)}`,
    answers.map(({ ask, value }) => answer(ask, value)).join('; '),
    passed ? 'yes' : 'no',
  ]);
}

function answer(ask: Ask, value: number): string {
  const show = (each: number): string => {
    if (ask.unit === 'index') return each.toFixed(2);
    return ask.unit === 'points' ? `${(each * 100).toFixed(1)} points` : `${each} s`;
  };
  const bound = ask.most === undefined ? `at least ${show(ask.least ?? 0)}` : `at most ${show(ask.most)}`;
  const seen = Number.isFinite(value) ? show(value) : 'never';
  return `${ask.name} ${seen} (${bound}${isWithin(ask, value) ? '' : ': no'})`;
}

/**
 * Compares candidates, one row per group of families: how many families are passed, and the medians over the families of
 * the share of what could be had and of the 429s.
 */
export function compareAll(
  families: readonly Family[],
  candidates: readonly Candidate[],
  seeds: number,
  write: (text: string) => void,
): void {
  const all: (readonly Verdict[])[] = [];
  const heldOut: (readonly Verdict[])[] = [];
  const total = (name: string, verdicts: readonly (readonly Verdict[])[]): void =>
    write(line([name, ...candidates.map((_, i) => summary(verdicts.flatMap((each) => each[i] ?? [])))]));
  write(head(['limiters', ...candidates.map(({ name }) => name)]));
  for (const [group, members] of Map.groupBy(families, (family) => family.group)) {
    const verdicts = members.map((family) => {
      const best = couldBeHad(family, SEARCH_SEEDS);
      return candidates.map((candidate) => judge(family, candidate, seeds, best));
    });
    all.push(...verdicts);
    heldOut.push(...verdicts.filter((_, i) => members[i]?.heldOut));
    total(group, verdicts);
  }
  total('**all**', all);
  if (heldOut.length > 0) total('of those held out', heldOut);
  write(`\nPassed; median share of what could be had / median share of 429s. ${seeds} seeds.\n`);
}

function summary(verdicts: readonly Verdict[]): string {
  const passed = verdicts.filter((verdict) => verdict.passed).length;
  const had = median(verdicts.map(({ goodput, best }) => goodput / best));
  const throttled = median(verdicts.map((verdict) => verdict.throttled));
  return `${passed}/${verdicts.length}; ${percent(had)} / ${percent(throttled)}`;
}
