/** What a command that sends a job changes of how it is sent. PURE. */
import type { Counts, JobControl } from '../ledger/job.ts';
import { countFrom } from '../rules/progress.ts';
import { type JobSettings, withSettings } from '../rules/settings.ts';

/**
 * The changes that what was given makes, and no others: somebody else may change the rest after it was read.
 * @param now epoch milliseconds. @throws CommandError for settings that do not go together.
 */
export function changesOf(
  control: JobControl,
  given: JobSettings,
  counts: Counts,
  now: number,
): Partial<JobControl> {
  if (Object.keys(given).length === 0) return {};
  return {
    settings: withSettings(control.settings, given, now),
    // A canary given now is of the rows that are sent from now on.
    ...(given.canary !== undefined && { progress: countFrom(counts, control.progress) }),
  };
}
