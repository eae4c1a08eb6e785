/** The approved letters that a change has not handled, and why. PURE. */
import type { PurgeReport } from '../../dead-letters/changes/purge.ts';
import type { RedriveReport } from '../../dead-letters/changes/redrive.ts';
import { counted, number } from '../../text/numbers.ts';
import type { ChangeRun } from './change-run.ts';

/** For a change that has ended; refused letters are counted separately. A sentence without its full stop; undefined if there are none. */
export function notDone(run: ChangeRun): string | undefined {
  const { report, chosen } = run;
  if (report === undefined) return undefined;
  const [left, done] =
    'redriven' in report
      ? [chosen.size - report.redriven - report.refused.count, 'put back']
      : [chosen.size - report.purged - report.notDeleted, 'deleted'];
  if (left <= 0) return undefined;
  return `${number(left)} of the ${counted(chosen.size, 'confirmed letter')} ${left === 1 ? 'was' : 'were'} not ${done}: ${why(run, report)}`;
}

function why({ fault, stopped }: ChangeRun, report: RedriveReport | PurgeReport): string {
  if (fault !== undefined) return 'the change has ended early';
  if (stopped !== undefined) return 'the change was stopped';
  const canary = 'redriven' in report ? report.canary?.verdict : undefined;
  if (canary === 'came-back') return 'some of the first ones came back';
  if (canary === 'unknown') return 'how the first ones ended is not known';
  if (canary === 'interrupted' || report.pass?.end === 'interrupted') return 'the console has ended';
  return 'not seen on the queue: already gone, or held by somebody else';
}
