/**
 * Loaded before a program (`node --import`): its wall clock then differs from the machine's, and can be stepped
 * while it runs. Monotonic time (`performance.now`, `process.hrtime`, timers) is unchanged, as on a machine whose
 * clock is set.
 */
import type { StepMessage } from './clock.ts';

let aheadMs = Number(process.env.CLOCK_AHEAD_MS ?? 0);
const RealDate = Date;
const realNow = Date.now;

RealDate.now = () => realNow() + aheadMs;
globalThis.Date = new Proxy(RealDate, {
  apply: () => new RealDate(RealDate.now()).toString(),
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [RealDate.now()] : args, newTarget),
});
RealDate.prototype.constructor = globalThis.Date;

process.on('message', (message: StepMessage) => {
  if (typeof message?.stepClockMs !== 'number') return;
  aheadMs += message.stepClockMs;
  process.send?.({ clockStepped: true });
});
// The channel must not keep the program alive.
process.channel?.unref();
