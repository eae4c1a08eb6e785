/**
 * The gate: whether calls are made at all. One mechanism for every cause that does not lie in the messages.
 *
 *   open ── a run of retryable failures ─────────────► outage
 *   open ── a run of 403s ───────────────────────────► denied
 *   open ── a run of answers that are not the API's ─► misconfigured
 *   open ── a message would be given up, and nothing shows that the cause lies in it ──► outage, denied, misconfigured
 *   any  ── no connection is made ───────────────────► unreachable
 *   any  ── our credentials, clock or set-up fail ───► misconfigured
 *   unreachable ── a call reaches a server that fails ──► outage
 *   outage, denied, misconfigured, unreachable ── an answer that shows the cause is gone ──► open
 *
 * A run: calls for `runLimit` different Identifiers failed with the same kind, with nothing but throttled answers between.
 * While the gate is closed, single calls go through as probes, one at a time, none sooner than `probeAt` its Identifier.
 */
import type { Failure } from '../message/failure.ts';
import { Suspects } from './suspects.ts';

export type GateState = 'open' | 'outage' | 'denied' | 'misconfigured' | 'unreachable';

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

/** By state; `untried` is that of Identifiers not denied yet while the gate is `denied`. */
export type ProbeSchedules = Readonly<Record<Exclude<GateState, 'open'> | 'untried', ProbeSchedule>>;

/**
 * At most one call per 5 s in an outage, every 10 s and up when denied, on a timer else. When denied, others may be permitted:
 * untried Identifiers are probed soon, then ever more seldom (decision 3 has the figures).
 */
export const defaultProbeSchedules: ProbeSchedules = {
  outage: { firstMs: 5_000, factor: 1, maxMs: 5_000 },
  denied: { firstMs: 10_000, factor: 1.5, maxMs: 60_000 },
  untried: { firstMs: 150, factor: 1.0025, maxMs: 60_000 },
  misconfigured: { firstMs: 5_000, factor: 1.5, maxMs: 60_000 },
  // No service in trouble is burdened, and a single connection that failed is to cost little.
  unreachable: { firstMs: 250, factor: 2, maxMs: 5_000 },
};

export interface GateOptions {
  /** Different Identifiers in a row; 0: no run ever closes the gate. */
  readonly runLimit: number;
  readonly schedules: ProbeSchedules;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly onChange: (change: GateChange) => void;
}

/** How long what a probe has shown holds, in milliseconds: longer than a quiet queue is without a message. */
const PROBED_LAPSE_MS = 3_600_000;

/** A policy under which a call was permitted so lately is taken to be in force, in milliseconds. */
const PERMITTED_LATELY_MS = 60_000;

/** When the next probe may start, and how long the one after it waits. */
interface Probing {
  delayMs: number;
  at: number;
}

/** What a run of a kind closes the gate as. */
const runStates: Readonly<Partial<Record<Failure['kind'], Exclude<GateState, 'open'>>>> = {
  retryable: 'outage',
  denied: 'denied',
  unidentified: 'misconfigured',
};

export class Gate {
  /** Identifiers that were denied; a success of another shows that the policy holds. */
  readonly denials: Suspects;
  /** Identifiers that failed without an answer of the API; its answer about another shows that it works. */
  readonly #failures: Suspects;
  /** The same of probes, whose failures the cause that closed the gate may explain. */
  readonly #probed: Suspects;
  readonly #options: GateOptions;
  /** A call has failed: until then, and that is nearly always, there is nobody to be found at fault. */
  #troubled = false;
  /** When the last call that succeeded began. */
  #succeededAt = Number.NEGATIVE_INFINITY;
  #state: GateState = 'open';
  #runKind: Failure['kind'] | undefined;
  readonly #run = new Set<string>();
  readonly #probing: Probing = { delayMs: 0, at: 0 };
  /** When denied: of Identifiers not denied yet. */
  readonly #untried: Probing = { delayMs: 0, at: 0 };
  #closedAt = 0;
  #closures = 0;
  #reason: Failure | undefined;

  constructor(options: GateOptions) {
    this.#options = options;
    this.denials = new Suspects(options.now);
    this.#failures = new Suspects(options.now);
    this.#probed = new Suspects(options.now, PROBED_LAPSE_MS);
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

  /** The failure that closed it, while it is closed. */
  get reason(): Failure | undefined {
    return this.#reason;
  }

  /** How long it has been closed for this reason, in milliseconds; meaningful while closed. */
  get closedMs(): number {
    return this.#options.now() - this.#closedAt;
  }

  /** Monotonic milliseconds before which no probe for `identifier` may start; meaningful while closed. */
  probeAt(identifier?: string): number {
    return this.#probingOf(identifier).at;
  }

  /**
   * Whether a probe for `identifier` could show more than those before it, or end a message: while denied, of Identifiers that
   * were not denied yet, or that are known to be denied by themselves.
   */
  isWorthProbing(identifier: string): boolean {
    return this.#state !== 'denied' || !this.denials.isSuspect(identifier);
  }

  /** Whether a probe for it has failed since the API last answered another. */
  hasFailed(identifier: string): boolean {
    return this.#probed.isSuspect(identifier) || this.#failures.isSuspect(identifier);
  }

  /**
   * Takes in how a call for `identifier` ended: with 204 (no failure) or with one.
   * @param startedAt when it began, monotonic milliseconds; now when omitted.
   */
  observe(identifier: string, failure?: Failure, startedAt: number = this.#options.now()): void {
    if (failure !== undefined) this.#troubled = true;
    else this.#succeededAt = startedAt;
    if (this.#troubled) this.#weigh(identifier, failure, startedAt);
    const ours =
      failure?.kind === 'misconfigured' || failure?.kind === 'unreachable' ? failure.kind : undefined;
    if (failure !== undefined && ours !== undefined) this.close(ours, failure);
    else if (this.#state !== 'open') this.#observeClosed(this.#state, failure, startedAt);
    else this.#countRun(identifier, failure);
  }

  /**
   * A message is about to be given up for `failure`: closes the gate instead where nothing shows that the cause lies in the
   * message. It lies there when the API answered others between its failures; failures of the API itself also when no
   * other Identifier fails, because one that fails alone may never be proven otherwise; a 403 also when a call was permitted
   * within the last minute.
   */
  closeUnlessAtFault(identifier: string, failure: Failure): void {
    const state = runStates[failure.kind];
    if (this.closed || state === undefined) return;
    const denied = failure.kind === 'denied';
    const suspects = denied ? this.denials : this.#failures;
    const alone = failure.kind !== 'unidentified' && (this.#options.runLimit === 0 || suspects.size <= 1);
    // The last messages of a job, say: no later call will show it.
    const permittedLately = denied && this.#options.now() - this.#succeededAt < PERMITTED_LATELY_MS;
    // From now on its failures say nothing of those of others.
    if (alone || permittedLately || suspects.isAtFault(identifier)) suspects.condemn(identifier);
    else this.close(state, failure);
  }

  /** Closes the gate, or changes what it is closed for. */
  close(state: Exclude<GateState, 'open'>, failure: Failure): void {
    if (this.#state === state) return;
    const from = this.#state;
    const { schedules, now } = this.#options;
    this.#state = state;
    this.#closures++;
    this.#reason = failure;
    this.#endRun();
    this.#failures.acquit();
    this.#closedAt = now();
    begin(this.#probing, schedules[state], this.#closedAt);
    begin(this.#untried, schedules.untried, this.#closedAt);
    this.#options.onChange({ from, to: state, failure });
  }

  /** A probe for `identifier` starts now: the next one waits its time, however this one ends. */
  probeStarted(identifier?: string): void {
    if (this.#state === 'open') return;
    const { schedules, now } = this.#options;
    const probing = this.#probingOf(identifier);
    const { factor, maxMs } = schedules[probing === this.#untried ? 'untried' : this.#state];
    probing.at = now() + probing.delayMs;
    // One that is denied by itself says nothing of the others.
    if (identifier === undefined || !this.denials.isAtFault(identifier))
      probing.delayMs = Math.min(probing.delayMs * factor, maxMs);
  }

  #probingOf(identifier: string | undefined): Probing {
    const untried = this.#state === 'denied' && identifier !== undefined && this.isWorthProbing(identifier);
    return untried ? this.#untried : this.#probing;
  }

  /** Whom the failures seen speak against. */
  #weigh(identifier: string, failure: Failure | undefined, startedAt: number): void {
    switch (failure?.kind) {
      case undefined:
        this.denials.answered(identifier, startedAt);
        this.#failures.answered(identifier, startedAt);
        this.#probed.answered(identifier, startedAt);
        return;
      case 'denied':
        this.denials.failed(identifier);
        this.#failures.answered(identifier, startedAt);
        this.#probed.answered(identifier, startedAt);
        return;
      case 'rejected':
      case 'conflict':
        this.#failures.answered(identifier, startedAt);
        this.#probed.answered(identifier, startedAt);
        return;
      case 'retryable':
      case 'unidentified':
        // One answer to another may be all that came through in an outage that goes on; two speak against this one.
        if (this.#state === 'open' || this.#probed.isAtFault(identifier)) this.#failures.failed(identifier);
        else this.#probed.failed(identifier);
        return;
      default:
    }
  }

  #observeClosed(state: Exclude<GateState, 'open'>, failure: Failure | undefined, startedAt: number): void {
    // What was on the wire when the gate closed had passed the fault, which lies before the wire.
    const passed = (state === 'unreachable' || state === 'misconfigured') && startedAt < this.#closedAt;
    if (passed) return;
    if (showsRecovery(state, failure)) this.#open();
    else if (state === 'unreachable' && failure?.kind === 'retryable') this.close('outage', failure);
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
    const state = failure && runStates[failure.kind];
    if (failure === undefined || state === undefined) {
      this.#endRun();
      return;
    }
    // One that is known to be denied by itself says nothing of the policy.
    if (failure.kind === 'denied' && this.denials.isAtFault(identifier)) return;
    if (failure.kind !== this.#runKind) this.#endRun();
    this.#runKind = failure.kind;
    this.#run.add(identifier);
    if (this.#run.size >= this.#options.runLimit) this.close(state, failure);
  }

  #endRun(): void {
    this.#run.clear();
    this.#runKind = undefined;
  }
}

function begin(probing: Probing, { firstMs }: ProbeSchedule, now: number): void {
  probing.delayMs = firstMs;
  probing.at = now + firstMs;
}

/** Whether an answer shows that the cause of a closed gate is gone. */
function showsRecovery(state: Exclude<GateState, 'open'>, failure: Failure | undefined): boolean {
  if (failure === undefined) return true;
  const { kind, status } = failure;
  // A 404 and a conflict show that the policy allows the call; a 400 may come before the policy is evaluated.
  if (state === 'denied') return kind === 'conflict' || (kind === 'rejected' && status === 404);
  // A connection was made, and an answer that is not the API's is for a run to judge.
  if (state === 'unreachable' && kind === 'unidentified') return true;
  return kind === 'rejected' || kind === 'conflict' || kind === 'denied' || kind === 'throttled';
}
