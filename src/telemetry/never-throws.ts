/** Keeps faults of tracing away from the work: the first one causes a warning. */
import type { DeliveryTrace, Tracing } from '../worker/tracing.ts';

/** `tracing`, whose methods never throw. */
export function neverThrows(tracing: Tracing, warn: (error: unknown) => void): Tracing {
  const guard = guardWith(warn);
  return {
    received: (messages, durationMs) => guard(() => tracing.received(messages, durationMs)),
    begin: (message) => {
      const delivery = guard(() => tracing.begin(message));
      return delivery && guarded(delivery, guard);
    },
  };
}

type Guard = <T>(work: () => T) => T | undefined;

function guardWith(warn: (error: unknown) => void): Guard {
  let warned = false;
  return (work) => {
    try {
      return work();
    } catch (error) {
      if (!warned) warn(error);
      warned = true;
      return undefined;
    }
  };
}

function guarded(delivery: DeliveryTrace, guard: Guard): DeliveryTrace {
  return {
    ids: delivery.ids,
    traceparent: delivery.traceparent,
    called: (attempt, number) => guard(() => delivery.called(attempt, number)),
    step: (name) => {
      const end = guard(() => delivery.step(name));
      return (failure) => guard(() => end?.(failure));
    },
    settled: (end) => guard(() => delivery.settled(end)),
    lost: (reason) => guard(() => delivery.lost(reason)),
    end: () => guard(() => delivery.end()),
  };
}
