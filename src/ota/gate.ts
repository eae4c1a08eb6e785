/**
 * The gate: whether calls are made at all. One mechanism for every cause that does not lie in the messages.
 *
 *   open ── a run of retryable failures ─────────────► outage
 *   open ── a run of 403s ───────────────────────────► denied
 *   any  ── our credentials, clock or set-up fail ───► misconfigured
 *   outage, denied, misconfigured ── an answer that shows the cause is gone ──► open
 *
 * A run: calls for `runLimit` different Identifiers failed with the same kind, with nothing but throttled answers between.
 * While the gate is closed, single calls go through as probes, one at a time, no sooner than `nextProbeAt`.
 */
import type { Failure } from '../message/failure.ts';

export type GateState = 'open' | 'outage' | 'denied' | 'misconfigured';

/** One change of state, for logs, health and metrics. */
export interface GateChange {
  readonly from: GateState;
  readonly to: GateState;
  /** What closed it; absent when it opens. */
  readonly failure?: Failure;
}

/** Milliseconds between probes: the first wait, the factor to the next, the longest. */
interface ProbeSchedule {
  readonly firstMs: number;
  readonly factor: number;
  readonly maxMs: number;
}

export type ProbeSchedules = Readonly<Record<Exclude<GateState, 'open'>, ProbeSchedule>>;

/** At most one call per 5 s in an outage, every 10 s and up when denied, on a timer else. */
export const defaultProbeSchedules: ProbeSchedules = {
  outage: { firstMs: 5_000, factor: 1, maxMs: 5_000 },
  denied: { firstMs: 10_000, factor: 1.5, maxMs: 60_000 },
  misconfigured: { firstMs: 5_000, factor: 1.5, maxMs: 60_000 },
};

export interface GateOptions {
  /** Different Identifiers in a row; 0: no run ever closes the gate. */
  readonly runLimit: number;
  readonly schedules: ProbeSchedules;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly onChange: (change: GateChange) => void;
}

export class Gate {
  readonly #options: GateOptions;
  #state: GateState = 'open';
  #runKind: Failure['kind'] | undefined;
  readonly #run = new Set<string>();
  #probeDelayMs = 0;
  #nextProbeAt = 0;
  #closures = 0;
  #reason: Failure | undefined;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  get state(): GateState {
    return this.#state;
  }

  get closed(): boolean {
    return this.#state !== 'open';
  }

  /** Grows each time the gate closes: what was counted against messages before says nothing any more. */
  get closures(): number {
    return this.#closures;
  }

  /** Monotonic milliseconds; meaningful while closed. */
  get nextProbeAt(): number {
    return this.#nextProbeAt;
  }

  /** The failure that closed it, while it is closed. */
  get reason(): Failure | undefined {
    return this.#reason;
  }

  /** Takes in how a call for `identifier` ended: with 204 (no failure) or with one. */
  observe(identifier: string, failure?: Failure): void {
    if (this.#state !== 'open') {
      this.#observeClosed(failure);
    } else if (failure?.kind === 'misconfigured') {
      this.close('misconfigured', failure);
    } else {
      this.#countRun(identifier, failure);
    }
  }

  /** Closes the gate for a cause found elsewhere (attempts spent on answers that the API did not give, say). */
  close(state: Exclude<GateState, 'open'>, failure: Failure): void {
    if (this.#state === state) return;
    const from = this.#state;
    this.#state = state;
    this.#closures++;
    this.#reason = failure;
    this.#endRun();
    const schedule = this.#options.schedules[state];
    this.#probeDelayMs = schedule.firstMs;
    this.#nextProbeAt = this.#options.now() + schedule.firstMs;
    this.#options.onChange({ from, to: state, failure });
  }

  /** A probe starts now: the next one waits its time, however this one ends. */
  probeStarted(): void {
    if (this.#state === 'open') return;
    this.#nextProbeAt = this.#options.now() + this.#probeDelayMs;
    const { factor, maxMs } = this.#options.schedules[this.#state];
    this.#probeDelayMs = Math.min(this.#probeDelayMs * factor, maxMs);
  }

  #observeClosed(failure: Failure | undefined): void {
    if (failure?.kind === 'misconfigured') this.close('misconfigured', failure);
    else if (showsRecovery(this.#state, failure)) this.#open();
  }

  #open(): void {
    const from = this.#state;
    this.#state = 'open';
    this.#reason = undefined;
    this.#endRun();
    this.#options.onChange({ from, to: 'open' });
  }

  #countRun(identifier: string, failure: Failure | undefined): void {
    // Throttling says nothing of the cause: it neither makes a run nor breaks one.
    if (failure?.kind === 'throttled' || this.#options.runLimit === 0) return;
    if (failure?.kind !== 'retryable' && failure?.kind !== 'denied') {
      this.#endRun();
      return;
    }
    if (failure.kind !== this.#runKind) this.#endRun();
    this.#runKind = failure.kind;
    this.#run.add(identifier);
    if (this.#run.size >= this.#options.runLimit) {
      this.close(failure.kind === 'denied' ? 'denied' : 'outage', failure);
    }
  }

  #endRun(): void {
    this.#run.clear();
    this.#runKind = undefined;
  }
}

/** Whether an answer shows that the cause of a closed gate is gone. */
function showsRecovery(state: GateState, failure: Failure | undefined): boolean {
  if (failure === undefined) return true;
  switch (state) {
    case 'outage':
      return failure.kind === 'rejected' || failure.kind === 'denied' || failure.kind === 'throttled';
    case 'denied':
      // A 404 shows that the policy allows the call; a 400 may come before the policy is evaluated.
      return failure.kind === 'rejected' && failure.status === 404;
    case 'misconfigured':
      return failure.kind === 'rejected' || failure.kind === 'denied' || failure.kind === 'throttled';
    case 'open':
      return false;
  }
}
