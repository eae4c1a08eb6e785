/**
 * Preloaded into a process (`--import`), lets its parent set the wall clock: a message `{ stepClock: ms }` moves
 * `Date.now()` and `new Date()` by so much from then on. Monotonic time stays as it is, as when a machine's clock is set.
 */
import { env } from 'node:process';

const RealDate = Date;
/** Where a process that starts with a wrong clock begins, in milliseconds. */
let offset = Number(env.CLOCK_OFFSET_MS ?? 0);

class SteppedDate extends RealDate {
  constructor(...args: readonly [] | ConstructorParameters<typeof Date>) {
    if (args.length === 0) super(SteppedDate.now());
    else super(...(args as ConstructorParameters<typeof Date>));
  }

  static override now(): number {
    return RealDate.now() + offset;
  }
}

// As a function, `Date` gives the time as text.
globalThis.Date = new Proxy(SteppedDate, {
  apply: () => new SteppedDate().toString(),
}) as unknown as DateConstructor;

process.on('message', (message: { readonly stepClock?: number }) => {
  offset += message.stepClock ?? 0;
});
// The channel must not keep the process from ending.
process.channel?.unref();
