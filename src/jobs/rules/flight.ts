/** How many rows of a job may be in flight. PURE. */
import type { Counts } from '../ledger/job.ts';
import { endsFor, toleratedBy } from './abort-rules.ts';
import { endsSince, type StageProgress } from './progress.ts';
import { rampRoom } from './ramp.ts';
import type { JobSettings } from './settings.ts';
import { type Beside, claimOf, windowOf } from './window.ts';

interface Flight {
  readonly settings: JobSettings;
  readonly counts: Counts;
  readonly perSecond: number;
  readonly roundTripMs?: number | undefined;
  readonly beside?: Beside | undefined;
}

const alone: Beside = { others: [], restInFlight: 0 };

/**
 * `window`: limited by the rate or the setting (next to other jobs by the smaller one), the rules and the ramp. `most`: the same
 * without regard to the rate and to other jobs.
 * @param left rows of the stage that are not sent.
 */
export function flightLimits(
  { settings, counts, perSecond, roundTripMs, beside = alone }: Flight,
  progress: StageProgress,
  left: number,
): { readonly window: number; readonly most: number } {
  const { ramp, abortWhen = [] } = settings;
  const ends = endsSince(progress, counts);
  const guarded = Math.min(
    ...abortWhen.map((rule) => toleratedBy(rule, endsFor(rule, ends))),
    ...(ramp === undefined ? [] : [rampRoom(ramp, ends.good)]),
  );
  const set = Math.min(guarded, settings.window ?? Number.POSITIVE_INFINITY);
  const most = Math.min(set, counts.inFlight + Math.max(0, Math.min(left, counts.planned)));
  const byRate = windowOf(perSecond, claimOf(settings, most), beside, roundTripMs);
  const own = settings.window !== undefined && beside.others.length === 0;
  return { window: own ? set : Math.min(set, byRate), most };
}
