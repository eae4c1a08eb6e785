/** A job's state in words. PURE. */
import type { JobState } from '../ledger/state.ts';
import type { JobSettings } from '../rules/settings.ts';

/**
 * `stopping, waiting for what is in flight`: the state, and what goes on in it where its name alone does not say so.
 * @param settings of the job; without them nothing is said of an undo that is waited for.
 */
export function stateText(
  { name, towards, isCopy }: Pick<JobState, 'name' | 'towards' | 'isCopy'>,
  { undoOnAbort = false }: Pick<JobSettings, 'undoOnAbort'> = {},
): string {
  if (name === 'elsewhere')
    return isCopy === true ? 'elsewhere: a copy' : 'elsewhere: moved to another ledger';
  if (name !== 'stopping') return name;
  const undo = undoOnAbort && towards === 'aborted' ? ', and for its undo to be made' : '';
  return `${towards === 'cancelled' ? 'being cancelled' : 'stopping'}, waiting for what is in flight${undo}`;
}
