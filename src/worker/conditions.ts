/**
 * What keeps the worker from finishing messages: a closed list of conditions. The part that detects a condition raises and
 * clears it. Log, `/readyz`, metrics and the receiver follow from this list.
 *
 *   clear ── raise ─► raised, since then and by that error ── clear ─► clear
 */
import type { Clock } from '../time/clock.ts';

/**
 * - `noted`: shown only. Updates go through, and the worker is ready.
 * - `not-ready`: updates do not go through, or fewer than should.
 * - `stops-receiving`: the messages held cannot be finished, so no more are received.
 */
type ConditionEffect = 'noted' | 'not-ready' | 'stops-receiving';

interface Definition {
  /** The text in `/readyz`. */
  readonly reason: string;
  readonly effect: ConditionEffect;
}

const define = (effect: ConditionEffect, reason: string): Definition => ({ effect, reason });

/** Every condition. Its log lines are in `src/observe/log-events.ts`. */
const definitions = {
  'finding-queues': define('not-ready', 'a queue cannot be found'),
  'queue-attributes': define('noted', "no permission to read a queue's attributes"),
  'same-queue': define('stops-receiving', 'another setting names the same queue'),
  receiving: define('not-ready', 'receiving from the queue fails'),
  reading: define('not-ready', 'messages do not arrive intact'),
  'dead-lettering': define('stops-receiving', 'the dead-letter queue does not accept letters'),
  publishing: define('stops-receiving', 'the outcome queue does not accept outcomes'),
  deleting: define('stops-receiving', 'SQS does not delete messages'),
  /** Receiving also stops if a call may last longer than a lease. */
  extending: define('not-ready', 'SQS does not extend leases'),
  claims: define('not-ready', 'claims of other workers are not released'),
  pacing: define('not-ready', 'permits to call are overdue'),
  throttled: define('noted', 'the API accepts fewer than half of the calls that RATE_LIMIT allows'),
  limits: define('noted', 'a source of limits cannot be read: its last limits stay in force'),
  'sharing-marks': define('noted', 'the newest-wins marks are not shared through Redis'),
  'sharing-rate': define(
    'noted',
    'the rate is not shared through Redis: the worker uses only its part of it',
  ),
} as const satisfies Readonly<Record<string, Definition>>;

export type ConditionName = keyof typeof definitions;

export const conditionNames = Object.keys(definitions) as readonly ConditionName[];

/** A condition at one moment. */
export interface Condition {
  readonly name: ConditionName;
  readonly effect: ConditionEffect;
  readonly reason: string;
  /** What the condition is about, if it can be raised for several things at once: the setting that names a queue. */
  readonly of?: string;
  /** Set while it is raised. */
  readonly raised?: {
    /** Epoch milliseconds. */
    readonly since: number;
    /** The last error's name or SQS's code; letters, digits and `_.:-` only. */
    readonly error?: string;
  };
}

/** Emitted once for each change of state, and once for each `renew`. */
export type ConditionEvent = {
  readonly type: 'condition';
  readonly condition: ConditionName;
  readonly of?: string;
} & (
  | { readonly raised: true; readonly error?: unknown }
  | {
      readonly raised: false;
      /** How long the condition lasted, in milliseconds. */
      readonly durationMs: number;
    }
);

export interface ConditionsOptions {
  readonly clock: Clock;
  readonly emit: (event: ConditionEvent) => void;
}

interface Raised {
  readonly name: ConditionName;
  readonly of: string | undefined;
  readonly since: number;
  readonly startedAt: number;
  error: string | undefined;
}

export class Conditions {
  readonly #options: ConditionsOptions;
  readonly #raised = new Map<string, Raised>();
  readonly #watchers: (() => void)[] = [];

  constructor(options: ConditionsOptions) {
    this.#options = options;
  }

  /**
   * Idempotent: a raised condition keeps its `since`, and shows the latest error.
   * @param error whatever was thrown, or a failed entry of a batch.
   * @param of what the condition is about, if it can be raised for several things at once.
   */
  raise(name: ConditionName, error?: unknown, of?: string): void {
    const key = keyOf(name, of);
    const raised = this.#raised.get(key);
    if (raised !== undefined) {
      if (error !== undefined) raised.error = errorName(error);
      return;
    }
    const { clock, emit } = this.#options;
    this.#raised.set(key, {
      name,
      of,
      since: clock.wall(),
      startedAt: clock.monotonic(),
      error: error === undefined ? undefined : errorName(error),
    });
    emit({ type: 'condition', condition: name, ...about(of), raised: true, error });
    this.#changed();
  }

  /** As `raise`, for a new error: if the condition is raised already, its event is emitted once more, for the log. */
  renew(name: ConditionName, error: unknown, of?: string): void {
    if (this.#raised.has(keyOf(name, of)))
      this.#options.emit({ type: 'condition', condition: name, ...about(of), raised: true, error });
    this.raise(name, error, of);
  }

  /** Idempotent, and cheap when the condition is not raised. */
  clear(name: ConditionName, of?: string): void {
    if (this.#raised.size === 0) return;
    const key = keyOf(name, of);
    const raised = this.#raised.get(key);
    if (raised === undefined) return;
    this.#raised.delete(key);
    const { clock, emit } = this.#options;
    emit({
      type: 'condition',
      condition: name,
      ...about(of),
      raised: false,
      durationMs: clock.monotonic() - raised.startedAt,
    });
    this.#changed();
  }

  /** Whether the condition is raised for anything. */
  has(name: ConditionName): boolean {
    for (const raised of this.#raised.values()) if (raised.name === name) return true;
    return false;
  }

  /** The messages held cannot be finished, so no more may be received. */
  get stopReceiving(): boolean {
    for (const { name } of this.#raised.values())
      if (definitions[name].effect === 'stops-receiving') return true;
    return false;
  }

  /** All conditions, raised or not. A condition that is raised for several things appears once for each. */
  list(): readonly Condition[] {
    return conditionNames.flatMap((name) => {
      const defined = { name, ...definitions[name] };
      const raised = [...this.#raised.values()].filter((each) => each.name === name);
      if (raised.length === 0) return [defined];
      return raised.map(({ of, since, error }) => ({
        ...defined,
        ...about(of),
        raised: { since, ...(error !== undefined && { error }) },
      }));
    });
  }

  /** Calls `watcher` after each change of state. */
  watch(watcher: () => void): void {
    this.#watchers.push(watcher);
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }
}

function keyOf(name: ConditionName, of: string | undefined): string {
  return of === undefined ? name : `${name} ${of}`;
}

function about(of: string | undefined): { readonly of?: string } {
  return of === undefined ? {} : { of };
}

/** The name of anything thrown, else its code. It may come from another system, and is shown in `/readyz`. */
export function errorName(error: unknown): string {
  const { name, code } = (typeof error === 'object' && error !== null ? error : {}) as {
    readonly name?: unknown;
    readonly code?: unknown;
  };
  const text = typeof name === 'string' ? name : typeof code === 'string' ? code : '';
  return text.replace(/[^\w.:-]/g, '').slice(0, 100) || 'Error';
}
