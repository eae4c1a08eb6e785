/** The stage that is being sent: its end, in rows from where counting began, and whether it is a sample of the plan. PURE. */
import { rowsOf } from './amount.ts';
import type { StageProgress } from './progress.ts';
import type { JobSettings } from './settings.ts';
import { nextStageEnd } from './stages.ts';

interface Stage {
  /** In rows from where counting began. */
  readonly end: number;
  readonly canary: boolean;
  /** Whether rows follow that are not in this stage. */
  readonly sample: boolean;
}

/** @param total rows of the job, including those not yet in the ledger. */
export function stageOf(
  { settings, total }: { readonly settings: JobSettings; readonly total: number },
  progress: StageProgress,
): Stage {
  const rows = rowsCounted(total, progress);
  const canary = canaryRows(settings, rows);
  if (canary > 0 && !progress.canaryPassed) return { end: canary, canary: true, sample: canary < rows };
  const passed = Math.max(progress.passed, canary);
  const end = settings.stages === undefined ? rows : nextStageEnd(settings.stages, passed, rows);
  return { end, canary: false, sample: end < rows };
}

/** The rows to send from where counting began. */
export function rowsCounted(total: number, { good, failed }: Pick<StageProgress, 'good' | 'failed'>): number {
  return Math.max(0, total - good - failed);
}

export function canaryRows({ canary }: JobSettings, rows: number): number {
  return canary === undefined ? 0 : Math.min(rows, rowsOf(canary, rows));
}
