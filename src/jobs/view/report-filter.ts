/** Selects the rows of a report: `--state` and `--error`. PURE. */
import { misuse } from '../../errors.ts';
import { didYouMean } from '../../text/nearest.ts';
import { shortPrintable } from '../../text/printable.ts';
import { rowStates } from '../ledger/row.ts';
import { leftOutStates } from '../plan/format.ts';
import type { ReportRow } from './report.ts';

/** As in summaries: dead-lettered, or refused by SQS. */
const FAILED = 'failed';

/** Values of `--state`. */
export const reportStates: readonly string[] = [...new Set([FAILED, ...rowStates, ...leftOutStates])];

/**
 * @param states any of these states; if empty, every state.
 * @param errors any of these names or reasons, case-insensitive; if empty, every error.
 * @throws CommandError for an unknown state.
 */
export function reportFilter(
  states: readonly string[],
  errors: readonly string[],
): (row: ReportRow) => boolean {
  for (const state of states) {
    if (reportStates.includes(state)) continue;
    throw misuse(
      `--state ${shortPrintable(state)}: there is no such state.${didYouMean(state, reportStates)} The states are ${reportStates.join(', ')}.`,
    );
  }
  const wanted = new Set(errors.map((error) => error.toLowerCase()));
  const named = (value: unknown): boolean => typeof value === 'string' && wanted.has(value.toLowerCase());
  return (row) =>
    (states.length === 0 || states.some((state) => isOf(row, state))) &&
    (wanted.size === 0 || named(row.ErrorName) || named(row.Reason));
}

function isOf({ State, Try }: ReportRow, state: string): boolean {
  if (state !== FAILED) return State === state;
  // The plan also refuses rows, but those were never tried.
  return State === 'dead-lettered' || (State === 'refused' && Try !== undefined);
}
