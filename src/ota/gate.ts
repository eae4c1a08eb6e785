/**
 * The gate: whether calls are made at all. One mechanism for every cause of failure outside the messages.
 *
 *   open ── a run of retryable failures ─────────────► outage
 *   open ── a run of 403s ───────────────────────────► denied
 *   open ── a run of answers that are not the API's ─► misconfigured
 *   open ── a message would be given up, and nothing shows that it is at fault ──► outage, denied, misconfigured
 *   any  ── no connection is made ───────────────────► unreachable
 *   any  ── our credentials, clock or set-up fail ───► misconfigured
 *   unreachable ── a call reaches a server that fails ──► outage
 *   outage, denied, misconfigured, unreachable ── an answer that shows the cause is gone ──► open
 *
 * A run: calls for `runLimit` different Identifiers failed with the same kind, with only throttled answers between them. While
 * the gate is closed, single calls go through as probes: one at a time, and for each Identifier not before `probeAt`.
 */
import type { Failure } from '../message/failure.ts';
import { Suspects } from './suspects.ts';

export type GateState = 'open' | 'outage' | 'denied' | 'misconfigured' | 'unreachable';

/** One change of state, for logs, health and metrics. */
export interface GateChange {
  readonly from: GateState;
  readonly to: GateState;
  /** The failure that closed the gate; absent when it opens. */
  readonly failure?: Failure;
}

/** Milliseconds between probes: the first wait, the factor to the next wait, the longest wait. */
interface ProbeSchedule {
  readonly firstMs: number;
  readonly factor: number;
  readonly maxMs: number;
}

/** By state. `untried` is for Identifiers not yet denied while the gate is `denied`. */
export type ProbeSchedules = Readonly<Record<Exclude<GateState, 'open'> | 'untried', ProbeSchedule>>;

/**
 * At most one call per 5 s in an outage, one per 10 s or longer when denied, and growing waits otherwise. When denied, other
 * Identifiers may be permitted: untried ones are probed soon, then less and less often (decision 3 has the figures).
 */
export const defaultProbeSchedules: ProbeSchedules = {
  outage: { firstMs: 5_000, factor: 1, maxMs: 5_000 },
  denied: { firstMs: 10_000, factor: 1.5, maxMs: 60_000 },
  untried: { firstMs: 150, factor: 1.0025, maxMs: 60_000 },
  misconfigured: { firstMs: 5_000, factor: 1.5, maxMs: 60_000 },
  // These probes put no load on a service in trouble, and a single failed connection must cost little time.
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

/** How long the finding of a probe holds, in milliseconds: longer than a quiet queue goes without a message. */
const PROBED_LAPSE_MS = 3_600_000;

/** A policy that permitted a call within this time counts as in force, in milliseconds. */
const PERMITTED_LATELY_MS = 60_000;

/** When the next probe may start, and how long the one after it waits. */
interface Probing {
  delayMs: number;
  at: number;
}

/** The state of the gate that a run of each kind leads to. */
const runStates: Readonly<Partial<Record<Failure['kind'], Exclude<GateState, 'open'>>>> = {
  retryable: 'outage',
  denied: 'denied',
  unidentified: 'misconfigured',
};

export class Gate {
  /** Identifiers that were denied. A success for another one shows that the policy still allows calls. */
  readonly denials: Suspects;
  /** Identifiers that failed without an answer from the API. Its answer about another one shows that it works. */
  readonly #failures: Suspects;
  /** The same for probes, whose failures may stem from the cause that closed the gate. */
  readonly #probed: Suspects;
  readonly #options: GateOptions;
  /** Whether any call has failed yet. Until then (nearly always) no Identifier can be at fault. */
  #troubled = false;
  /** When the last call that succeeded began. */
  #succeededAt = Number.NEGATIVE_INFINITY;
  #state: GateState = 'open';
  #runKind: Failure['kind'] | undefined;
  readonly #run = new Set<string>();
  readonly #probing: Probing = { delayMs: 0, at: 0 };
  /** When denied: for Identifiers not denied yet. */
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

  /** Grows each time the gate closes. Failures counted against a message before that are no longer evidence. */
  get closures(): number {
    return this.#closures;
  }

  /** The failure that closed the gate, while it is closed. */
  get reason(): Failure | undefined {
    return this.#reason;
  }

  /** How long the gate has been closed for this reason, in milliseconds; meaningful while closed. */
  get closedMs(): number {
    return this.#options.now() - this.#closedAt;
  }

  /** Monotonic milliseconds before which no probe for `identifier` may start; meaningful while closed. */
  probeAt(identifier?: string): number {
    return this.#probingOf(identifier).at;
  }

  /**
   * Whether a probe for `identifier` could show something new, or end a message. While the gate is denied, this holds for
   * Identifiers not denied yet, and for those known to be denied for their own sake.
   */
  isWorthProbing(identifier: string): boolean {
    return this.#state !== 'denied' || !this.denials.isSuspect(identifier);
  }

  /** Whether a probe for `identifier` has failed since the API last answered a call for another. */
  hasFailed(identifier: string): boolean {
    return this.#probed.isSuspect(identifier) || this.#failures.isSuspect(identifier);
  }

  /**
   * Registers how a call for `identifier` ended: with 204 (no failure) or with a failure.
   * @param startedAt when the call began, monotonic milliseconds; now when omitted.
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
   * A message is about to be given up for `failure`. Closes the gate instead if nothing shows that the message is at fault. It
   * is at fault in these cases:
   * - The API answered calls for others between its failures.
   * - The failure is the API's own, and no other Identifier fails: there may never be other evidence.
   * - A 403, and another call was permitted within the last minute.
   */
  closeUnlessAtFault(identifier: string, failure: Failure): void {
    const state = runStates[failure.kind];
    if (this.closed || state === undefined) return;
    const denied = failure.kind === 'denied';
    const suspects = denied ? this.denials : this.#failures;
    const alone = failure.kind !== 'unidentified' && (this.#options.runLimit === 0 || suspects.size <= 1);
    // For example, the last messages of a job: no later call will show it.
    const permittedLately = denied && this.#options.now() - this.#succeededAt < PERMITTED_LATELY_MS;
    // From now on its failures are no evidence about other Identifiers.
    if (alone || permittedLately || suspects.isAtFault(identifier)) suspects.condemn(identifier);
    else this.close(state, failure);
  }

  /** Closes the gate, or changes the reason for which it is closed. */
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

  /** A probe for `identifier` starts now. The next one waits, however this one ends. */
  probeStarted(identifier?: string): void {
    if (this.#state === 'open') return;
    const { schedules, now } = this.#options;
    const probing = this.#probingOf(identifier);
    const { factor, maxMs } = schedules[probing === this.#untried ? 'untried' : this.#state];
    probing.at = now() + probing.delayMs;
    // A probe for an Identifier known to be at fault shows nothing about the others.
    if (identifier === undefined || !this.denials.isAtFault(identifier))
      probing.delayMs = Math.min(probing.delayMs * factor, maxMs);
  }

  #probingOf(identifier: string | undefined): Probing {
    const untried = this.#state === 'denied' && identifier !== undefined && this.isWorthProbing(identifier);
    return untried ? this.#untried : this.#probing;
  }

  /** Decides which Identifiers the failures so far are evidence against. */
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
        // In an outage, a single answer to another Identifier may come through by chance; two are evidence against this one.
        if (this.#state === 'open' || this.#probed.isAtFault(identifier)) this.#failures.failed(identifier);
        else this.#probed.failed(identifier);
        return;
      default:
    }
  }

  #observeClosed(state: Exclude<GateState, 'open'>, failure: Failure | undefined, startedAt: number): void {
    // These two causes lie before the network: a call that was already sent when the gate closed had passed them.
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
    // Throttling shows nothing about the cause: it neither adds to a run nor breaks one.
    if (failure?.kind === 'throttled' || this.#options.runLimit === 0) return;
    const state = failure && runStates[failure.kind];
    if (failure === undefined || state === undefined) {
      this.#endRun();
      return;
    }
    // A denial of an Identifier that is known to be at fault shows nothing about the policy.
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
  // A connection was made. What answers that are not the API's mean is for a run to judge.
  if (state === 'unreachable' && kind === 'unidentified') return true;
  return kind === 'rejected' || kind === 'conflict' || kind === 'denied' || kind === 'throttled';
}
