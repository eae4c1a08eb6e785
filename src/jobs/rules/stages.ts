/** The stages of a job: how many of its rows are sent before their ends are checked. PURE. */
import { type CommandError, misuse } from '../../errors.ts';
import { shortPrintable } from '../../text/printable.ts';
import { type Amount, formatAmount, isAmount, readAmount, rowsOf } from './amount.ts';

/** Each step is the cumulative amount of rows sent by its end. */
export interface Stages {
  readonly steps: readonly Amount[];
  /** The amount added repeatedly after the last step; without it, the rest is the last stage. */
  readonly repeat?: Amount;
}

/** More steps would be a mistake, and would overflow a line of the plan's summary. */
const MAX_STEPS = 50;
const EXAMPLE = 'as in --stages 1%,10%,50%,100% or --stages 500,+500';

/**
 * Reads `1%,10%,50%,100%`; a final `+500` or `+5%` is repeated to the end.
 * @throws CommandError that says what is wrong with it, and gives an example.
 */
export function parseStages(text: string): Stages {
  const wrong = (fault: string): CommandError =>
    misuse(`--stages '${shortPrintable(text)}': ${fault}, ${EXAMPLE}.`);
  const parts = text.split(',').map((part) => part.trim());
  const repeated = parts.at(-1)?.startsWith('+') === true ? parts.pop() : undefined;
  if (parts.length > MAX_STEPS) throw wrong(`give at most ${MAX_STEPS} stages`);
  const amountOf = (part: string): Amount => {
    const amount = readAmount(part);
    if (amount !== undefined) return amount;
    if (part.startsWith('+')) throw wrong('only the last stage can be repeated');
    throw wrong(`"${shortPrintable(part, 20)}" is neither a number of rows from 1 nor a share of up to 100%`);
  };
  const steps = parts.map(amountOf);
  steps.forEach((step, i) => {
    const before = steps[i - 1];
    if (before === undefined || grows(before, step) !== false) return;
    throw wrong(
      `a stage includes the rows of the stages before it, so each must be larger than the one before: ${formatAmount(step)} is not larger than ${formatAmount(before)}`,
    );
  });
  if (repeated === undefined) return { steps };
  const last = steps.at(-1);
  if (last !== undefined && 'percent' in last && last.percent === 100)
    throw wrong(`nothing is left to repeat ${shortPrintable(repeated, 20)} for after 100%`);
  return { steps, repeat: amountOf(repeated.slice(1)) };
}

/** undefined: depends on the job's size. */
function grows(before: Amount, next: Amount): boolean | undefined {
  if ('rows' in before) return 'rows' in next ? next.rows > before.rows : undefined;
  return 'percent' in next ? next.percent > before.percent : undefined;
}

/** The stages in the form in which they are given. */
export function formatStages({ steps, repeat }: Stages): string {
  return [...steps.map(formatAmount), ...(repeat === undefined ? [] : [`+${formatAmount(repeat)}`])].join();
}

/** Checks a value from a ledger. */
export function isStages(value: unknown): value is Stages {
  if (typeof value !== 'object' || value === null) return false;
  const { steps, repeat } = value as Readonly<Record<string, unknown>>;
  if (!Array.isArray(steps) || !steps.every(isAmount)) return false;
  return repeat === undefined ? steps.length > 0 : isAmount(repeat);
}

/**
 * The end of the stage that follows once `passed` rows are through, as the number of rows sent by then.
 * Steps that do not exceed `passed`, as in a small job, are left out.
 * @returns at most `total`.
 */
export function nextStageEnd({ steps, repeat }: Stages, passed: number, total: number): number {
  let end = 0;
  for (const step of steps) {
    end = Math.max(end, rowsOf(step, total));
    if (end > passed) return Math.min(end, total);
  }
  if (repeat === undefined) return total;
  const size = rowsOf(repeat, total);
  return Math.min(total, end + (Math.floor((passed - end) / size) + 1) * size);
}

/** The number of that stage, from 1, and the number of stages. */
export function stageNumber(
  stages: Stages,
  passed: number,
  total: number,
): { readonly stage: number; readonly of: number } {
  const ends = stages.steps
    .map((step) => Math.min(total, rowsOf(step, total)))
    .filter((end, i, all) => all.slice(0, i).every((before) => before < end));
  const listed = ends.filter((end) => end <= passed).length;
  const last = ends.at(-1) ?? 0;
  const size = stages.repeat === undefined ? Math.max(1, total - last) : rowsOf(stages.repeat, total);
  const of = ends.length + Math.ceil(Math.max(0, total - last) / size);
  const repeated = passed < last ? 0 : Math.floor((passed - last) / size);
  return { stage: Math.min(of, listed + repeated + 1), of };
}
