/** Settings given to a job, added to those that it already has. */
import type { Counts, JobControl, PlannedJob } from '../ledger/job.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type Unsettable, without } from '../rules/given.ts';
import { countFrom } from '../rules/progress.ts';
import { type JobSettings, refuseContradictions, withSettings } from '../rules/settings.ts';
import { requireFormer } from '../run/undo-on-abort.ts';
import type { Deed } from './deed.ts';

export interface Setting {
  readonly given: JobSettings;
  readonly unset?: readonly Unsettable[];
  /** Epoch milliseconds. */
  readonly now: number;
  /**
   * When the settings were given, if earlier than `now`: entering many rows takes a while, and a given time may pass
   * meanwhile.
   */
  readonly givenAt?: number;
}

/**
 * The changes that a setting makes. PURE.
 * @throws CommandError if settings contradict each other.
 */
export function changesOf(
  control: JobControl,
  { given, unset = [], now, givenAt = now }: Setting,
  counts: Pick<Counts, 'applied' | 'superseded' | 'failed' | 'causes'>,
): Partial<JobControl> {
  const kept = without(control.settings, unset);
  const settings = Object.keys(given).length === 0 ? kept : withSettings(kept, given, now, givenAt);
  if (settings === kept) refuseContradictions(kept, now);
  return {
    settings,
    // A canary that is given now consists of rows sent from now on.
    ...(given.canary !== undefined && { progress: countFrom(counts, control.progress) }),
  };
}

/**
 * Changes how a job is sent, with a line in the audit, in one step: concurrent changes by others stay. Without
 * anything to change it does nothing.
 * @returns whether anything changed.
 * @throws CommandError if settings contradict each other, or contradict those that the job has by then.
 */
export async function giveSettings(
  ledger: Pick<Ledger, 'setSettings' | 'hasFormer' | 'count'>,
  job: PlannedJob,
  setting: Setting,
  { who, why }: Deed,
): Promise<boolean> {
  const { given, unset = [] } = setting;
  if (Object.keys(given).length + unset.length === 0) return false;
  await requireFormer(ledger, job, given);
  const counts = await ledger.count(job.key);
  return await ledger.setSettings(job.key, {
    change: (control) => changesOf(control, setting, counts),
    who,
    ...(why !== undefined && { why }),
  });
}
