/** Settings that have no effect in a job of this size: they are valid, but not what the user meant. PURE. */
import { counted } from '../../text/numbers.ts';
import { type AbortRule, formatAbortRule, leastOf, toleratedBy } from './abort-rules.ts';
import { rowsOf } from './amount.ts';
import { type Ramp, rampRoom } from './ramp.ts';
import type { JobSettings } from './settings.ts';
import { nextStageEnd } from './stages.ts';

/** @param rows of the job. @returns a sentence for each such setting, without its full stop. */
export function idleNotes(
  { canary, stages, ramp, verifyEach, verifyWithin, abortWhen = [] }: JobSettings,
  rows: number,
): string[] {
  if (rows === 0) return [];
  const all = `the job has ${counted(rows, 'row')}`;
  const notes: string[] = [];
  if (canary !== undefined && rowsOf(canary, rows) >= rows)
    notes.push(`--canary is the whole job: ${all}, and no rest follows it`);
  if (stages !== undefined && nextStageEnd(stages, 0, rows) >= rows)
    notes.push(`--stages make one stage: ${all}, and all of them are in the first`);
  if (ramp !== undefined && ramp.from >= rows)
    notes.push(`--ramp holds nothing back: ${all}, and it begins with ${ramp.from} in flight`);
  else if (ramp !== undefined && ramp.after >= rows)
    notes.push(`--ramp never grows: ${all}, and it grows after ${counted(ramp.after, 'good end')}`);
  for (const rule of abortWhen) {
    if (ramp === undefined || !isCapped(ramp, rule, rows)) continue;
    const first = toleratedBy(rule, { ended: 0, failed: 0 });
    const later = 'count' in rule.limit ? '' : ' at first, and never more than the ramp';
    notes.push(
      `--ramp holds nothing back: it begins with ${ramp.from} in flight, and --abort-when '${formatAbortRule(rule)}' allows ${first}${later}`,
    );
  }
  if (verifyWithin !== undefined && verifyEach !== true)
    notes.push('--verify-within does nothing: it says how long --verify-each waits, which is not set');
  for (const rule of abortWhen) {
    if (rule.of !== 'rows' || endsToAct(rule) <= rows) continue;
    notes.push(
      `--abort-when '${formatAbortRule(rule)}' can never act: ${all}, and it needs ${counted(endsToAct(rule), 'end')}`,
    );
  }
  return notes;
}

/** Whether the rule always limits rows in flight at least as strictly as the ramp: the ramp then has no effect. */
function isCapped(ramp: Ramp, rule: AbortRule, rows: number): boolean {
  // A share tolerates more with each end, but the ramp rises in steps: relative to the rule it is lowest just before each step.
  for (let next = ramp.after; ; next += ramp.after) {
    const ended = Math.min(next, rows) - 1;
    const room = rampRoom(ramp, ended);
    if (room < toleratedBy(rule, { ended, failed: 0 })) return false;
    if (next >= rows || room >= rows) return true;
  }
}

/** How many rows must have ended before the rule can stop the job. */
function endsToAct(rule: AbortRule): number {
  return 'count' in rule.limit ? rule.limit.count + 1 : leastOf(rule);
}
