/** Newest-wins marks: for each task, when the newest applied value of each field was decided on. */
import type { Marks, NewestField } from '../../message/newest.ts';

/** The fields that a call has set. */
export type AppliedFields = { readonly [F in NewestField]?: string | undefined };

/** A worker's exclusive right to call for an Identifier, limited in time. */
export interface Claim {
  readonly identifier: string;
  readonly token: string;
}

export interface Newest {
  /** The marks known to this worker. Marks only rise: an update that is stale by them is stale for every worker. */
  known(identifier: string): Marks | undefined;
  /**
   * Must be called before each call, and followed by `applied` or `release`. With a claim, `known` includes the marks
   * of all workers.
   * @param kept the claim of an earlier call for the same update that got no answer; it is renewed.
   * @returns `held` while another worker has the claim; undefined when marks are not shared.
   */
  claim(identifier: string, kept?: Claim): Promise<Claim | 'held' | undefined> | undefined;
  /**
   * Records that a call has set `fields`, as decided on at `at`, and releases the claim. Never rejects.
   * @param unanswered a call under the claim got no answer and may still take effect: others wait a while longer.
   */
  applied(
    identifier: string,
    fields: AppliedFields,
    at: number,
    claim: Claim | undefined,
    unanswered: boolean,
  ): Promise<void> | undefined;
  /** Releases the claim of a call that applied nothing, or got no answer. */
  release(claim: Claim, unanswered: boolean): void;
  close(): void;
}

/** How much longer a claim lasts than the longest call, in milliseconds. */
const CLAIM_MARGIN_MS = 5_000;

/** How long a claim lasts after its worker has died, in milliseconds: longer than a call can take. */
export function claimDurationMs(callTimeoutMs: number): number {
  return callTimeoutMs + CLAIM_MARGIN_MS;
}

/** The most Identifiers remembered. */
export const MAX_REMEMBERED = 50_000;

/** Each Identifier takes a map entry, and two numbers outside the heap. */
class Generation {
  readonly slots = new Map<string, number>();
  readonly times: Float64Array;

  constructor(size: number) {
    this.times = new Float64Array(2 * size);
  }
}

/**
 * The marks of one process for the latest marked Identifiers: at most `maxIdentifiers`, at least half as many. There
 * are two generations; when the young one is full, the old one is dropped as a whole.
 */
export class LocalNewest implements Newest {
  readonly #size: number;
  #young: Generation;
  #old: Generation;

  constructor(maxIdentifiers = MAX_REMEMBERED) {
    this.#size = Math.ceil(maxIdentifiers / 2);
    this.#young = new Generation(this.#size);
    this.#old = new Generation(this.#size);
  }

  get size(): number {
    return this.#young.slots.size + this.#old.slots.size;
  }

  identifiers(): string[] {
    return [...this.#old.slots.keys(), ...this.#young.slots.keys()];
  }

  known(identifier: string): Marks | undefined {
    return read(this.#young, identifier) ?? read(this.#old, identifier);
  }

  /** Raises marks to these values if they are newer. */
  raise(identifier: string, description: number, configuration: number): void {
    const slot = this.#young.slots.get(identifier);
    if (slot !== undefined) {
      raiseTo(this.#young.times, slot, description, configuration);
      return;
    }
    const old = read(this.#old, identifier);
    if (old !== undefined) this.#old.slots.delete(identifier);
    this.#insert(
      identifier,
      Math.max(description, old?.Description ?? Number.NEGATIVE_INFINITY),
      Math.max(configuration, old?.TaskConfigurationId ?? Number.NEGATIVE_INFINITY),
    );
  }

  applied(identifier: string, fields: AppliedFields, at: number): undefined {
    this.raise(identifier, markOf(fields.Description, at), markOf(fields.TaskConfigurationId, at));
  }

  claim(): undefined {}

  release(): void {}

  close(): void {}

  #insert(identifier: string, description: number, configuration: number): void {
    if (this.#young.slots.size >= this.#size) {
      this.#old = this.#young;
      this.#young = new Generation(this.#size);
    }
    // Entries never leave the young generation, so its size is the next free slot.
    const slot = this.#young.slots.size;
    this.#young.slots.set(identifier, slot);
    this.#young.times[2 * slot] = description;
    this.#young.times[2 * slot + 1] = configuration;
  }
}

/** The mark of a field: `at`, or -Infinity when the field was not sent or `at` is not a time. */
export function markOf(value: string | undefined, at: number): number {
  return value === undefined || !Number.isFinite(at) ? Number.NEGATIVE_INFINITY : at;
}

function read({ slots, times }: Generation, identifier: string): Marks | undefined {
  const slot = slots.get(identifier);
  if (slot === undefined) return undefined;
  return { Description: times[2 * slot] as number, TaskConfigurationId: times[2 * slot + 1] as number };
}

function raiseTo(times: Float64Array, slot: number, description: number, configuration: number): void {
  times[2 * slot] = Math.max(times[2 * slot] as number, description);
  times[2 * slot + 1] = Math.max(times[2 * slot + 1] as number, configuration);
}
