/** Calls paced by a controller of the simulator: its algorithm, on real calls. */
import { setTimeout as sleep } from 'node:timers/promises';
import { aimd50 } from '../../testing/rates/candidates.ts';
import { type Controller, fixedController } from '../../testing/rates/simulator.ts';

/** Keyed by the values of `BENCH_CONTROLLER`. */
const controllers: Readonly<Record<string, (ceiling: number) => Controller>> = {
  aimd: (ceiling) => aimd50.create(ceiling),
  fixed: fixedController,
};

/** Timers are not finer: what is due sooner is sent immediately. */
const TIMER_MS = 1;
/** After a stall, at most this much is made up for. */
const CATCH_UP_MS = 50;

/**
 * Makes each call when the controller's rate allows it, and repeats a throttled call, which waits in the same queue.
 * @throws Error for any other failure of a call, and for an unknown controller.
 */
export function paced(
  name: string,
  ceiling: number,
  send: (body: string | undefined) => Promise<void>,
): (body: string | undefined) => Promise<void> {
  const controller = controllers[name]?.(ceiling);
  if (controller === undefined) throw new Error(`no controller is named ${name}`);
  let dueAt = 0;
  let last = Promise.resolve();
  const wait = async (): Promise<void> => {
    const now = performance.now();
    dueAt = Math.max(dueAt, now - CATCH_UP_MS) + 1_000 / controller.rate;
    if (dueAt - now > TIMER_MS) await sleep(dueAt - now);
  };
  const turn = (): Promise<void> => {
    last = last.then(wait);
    return last;
  };
  return async (body) => {
    for (;;) {
      await turn();
      const startedAt = performance.now();
      try {
        await send(body);
        controller.observe({ startedAt, endedAt: performance.now() });
        return;
      } catch (error) {
        if (!(error instanceof Error) || error.name !== 'ThrottlingException') throw error;
        controller.observe({ startedAt, endedAt: performance.now(), failure: { kind: 'throttled' } });
      }
    }
  };
}
