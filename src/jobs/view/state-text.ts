/** A job's state in words. PURE. */
import type { JobState } from '../ledger/state.ts';

/** `stopping, waiting for what is in flight`: the state, and what goes on in it where its name alone does not say so. */
export function stateText({ name, towards }: Pick<JobState, 'name' | 'towards'>): string {
  if (name !== 'stopping') return name;
  return `${towards === 'cancelled' ? 'being cancelled' : 'stopping'}, waiting for what is in flight`;
}
