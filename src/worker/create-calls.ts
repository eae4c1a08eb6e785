/** Creates what the calls of all deliveries share: the permits and all they depend on, and the claims. */
import type { CallOptions } from '../ota/call.ts';
import { Gate, type GateChange } from '../ota/gate.ts';
import { Hold, type HoldChange } from '../ota/hold.ts';
import { ClaimWaits } from '../ota/newest/claim-waits.ts';
import { claimDurationMs } from '../ota/newest/newest.ts';
import { Permits } from '../ota/permits.ts';
import { defaultTimings, type WorkerOptions } from './options.ts';

/** How much longer to wait for a claim than a claim can last, in milliseconds. */
const CLAIM_WAIT_MARGIN_MS = 2_000;

/** Notified when calls are paused, and when they go on. */
export interface CallChanges {
  readonly onGate: (change: GateChange) => void;
  readonly onHold: (change: HoldChange) => void;
}

export function createCalls(
  {
    config,
    api,
    limiter,
    bounds,
    newest,
    conditions,
    clock,
    random,
    timings = defaultTimings,
  }: WorkerOptions,
  { onGate, onHold }: CallChanges,
): CallOptions {
  const now = clock.monotonic;
  const gate = new Gate({
    runLimit: config.failureRunLimit,
    schedules: timings.probes,
    now,
    onChange: onGate,
  });
  const hold = new Hold({ now, onChange: onHold });
  const permits = new Permits({
    limiter,
    gate,
    hold,
    get maxConcurrency() {
      return bounds.concurrency.value;
    },
    now,
    onOverdue: (overdue, error) => (overdue ? conditions.raise('pacing', error) : conditions.clear('pacing')),
    ...(timings.permitOverdueMs !== undefined && { overdueMs: timings.permitOverdueMs }),
  });
  const claimWaits = new ClaimWaits({
    longestMs: timings.claimWaitMs ?? claimDurationMs(config.callTimeoutMs) + CLAIM_WAIT_MARGIN_MS,
    // Leaves room for calls for the other messages held.
    get most() {
      return Math.ceil(bounds.concurrency.value / 2);
    },
    now,
    onStuck: (stuck) => (stuck ? conditions.raise('claims') : conditions.clear('claims')),
  });
  return { api, permits, newest, claimWaits, gate, hold, clock, random };
}
