/** The stage that a job is in, for people. PURE. */
import { counted, number } from '../../text/numbers.ts';
import type { Situation } from './decide.ts';
import { endsSince, type StageProgress } from './progress.ts';
import type { JobSettings } from './settings.ts';
import { canaryRows, rowsCounted, stageOf } from './stage.ts';
import { stageNumber } from './stages.ts';

export interface StageView {
  /** undefined: it is the canary. */
  readonly number: { readonly stage: number; readonly of: number } | undefined;
  /** Rows of this stage and the earlier ones that have ended, and all their rows. */
  readonly ended: number;
  readonly end: number;
  /** Failed rows among the ended ones. */
  readonly failed: number;
}

/** @returns undefined for a job without stages, or after its last stage. */
export function stageView(
  situation: Pick<Situation, 'settings' | 'total' | 'counts'>,
  progress: StageProgress,
): StageView | undefined {
  const { settings, total, counts } = situation;
  const { end, canary } = stageOf(situation, progress);
  const { ended: all, failed } = endsSince(progress, counts);
  const ended = Math.min(end, all);
  if (canary) return { number: undefined, ended, end, failed };
  if (settings.stages === undefined) return undefined;
  const rows = rowsCounted(total, progress);
  const passed = Math.max(progress.passed, canaryRows(settings, rows));
  return { number: stageNumber(settings.stages, passed, rows), ended, end, failed };
}

/** Number of stages that have not begun. */
export function stagesLeft({ number }: StageView, { stages }: JobSettings): number {
  if (number !== undefined) return number.of - number.stage;
  return stages === undefined ? 1 : stages.steps.length;
}

/** `stage 2 of 5`, `the canary`. */
function stageName({ number: at }: Pick<StageView, 'number'>): string {
  return at === undefined ? 'the canary' : `stage ${number(at.stage)} of ${number(at.of)}`;
}

/** The question to a person between stages, as a sentence without its full stop. */
export function question(stage: StageView | undefined): string {
  if (stage === undefined) return 'It waits for confirmation before it continues';
  const { ended, failed } = stage;
  const how = failed === 0 ? 'none failed' : `${number(failed)} failed`;
  return `It waits for confirmation after ${stageName(stage)}: ${counted(ended, 'row')} ended, ${how}`;
}
