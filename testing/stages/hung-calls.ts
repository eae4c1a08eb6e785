/** Time limits of calls that no slow machine can exceed: they end only calls that a simulated API leaves unanswered. */
import type { SimulatedApi } from '../../src/sandbox/simulated-api/index.ts';
import type { StartTimer } from '../../src/time/clock.ts';

/**
 * Time limits for all calls to this API. Whatever their length, they expire as soon as the API has received every open call
 * and lets it hang, and never otherwise. For clients that do not abort hung calls themselves.
 */
export function limitsOfHungCalls(api: Pick<SimulatedApi, 'onCall' | 'stats'>): StartTimer {
  const open = new Set<() => void>();
  let exceeded = 0;
  const look = (): void => {
    const hung = (api.stats().byStatus.hang ?? 0) - exceeded;
    if (hung === 0 || open.size !== hung) return;
    exceeded += hung;
    for (const end of [...open]) end();
  };
  api.onCall(look);
  return (_ms, end) => {
    open.add(end);
    return () => {
      if (open.delete(end)) look();
    };
  };
}
