/** A job's state in words. PURE. */
import type { JobState } from '../ledger/state.ts';

/** `stopping, waiting for what is in flight`: the state, and what goes on in it where its name alone does not say so. */
export function stateText({ name, towards, isCopy }: Pick<JobState, 'name' | 'towards' | 'isCopy'>): string {
  if (name === 'elsewhere')
    return isCopy === true ? 'elsewhere: a copy' : 'elsewhere: moved to another ledger';
  if (name !== 'stopping') return name;
  return `${towards === 'cancelled' ? 'being cancelled' : 'stopping'}, waiting for what is in flight`;
}
