/** Time limits of calls that no slow machine can exceed: they end what a simulated API leaves without an answer. */
import type { SimulatedApi } from '../../src/sandbox/simulated-api/index.ts';
import type { StartTimer } from '../../src/time/clock.ts';

/**
 * Time limits for all calls to this API. They are exceeded as soon as each call that is open is one that the API has received
 * and lets hang, and never otherwise, whatever their length. For clients that abort no hung call themselves.
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
