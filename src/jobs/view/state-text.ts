/** A job's state in words. PURE. */
import type { JobState } from '../ledger/state.ts';
import type { JobSettings } from '../rules/settings.ts';

/**
 * `stopping, waiting for what is in flight`: the state, and what happens in it if the name alone does not say.
 * @param settings the job's settings; without them, a pending undo is not mentioned.
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
