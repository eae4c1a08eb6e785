/** The memory of what is newest: when what was last applied of each task was decided. In this process alone. */
import type { Marks, NewestField } from '../../message/newest.ts';

/** Fields that a call has set. */
export type AppliedFields = { readonly [F in NewestField]?: string | undefined };

/** The right to be the only worker that calls for an Identifier, for a while. */
export interface Claim {
  readonly identifier: string;
  readonly token: string;
}

/** What a caller remembers and shares of what it has applied. */
export interface Newest {
  /** The marks known here. Marks only rise: what is stale by these is stale for every worker. */
  known(identifier: string): Marks | undefined;
  /**
   * To be taken before each call, and given back by `applied` or `release`; the marks of all workers are known then.
   * @param kept the claim of a call for the same update that got no answer: it is gone on with.
   * @returns `held` while another worker calls for it; undefined when there is nobody to share with.
   */
  claim(identifier: string, kept?: Claim): Promise<Claim | 'held' | undefined> | undefined;
  /**
   * A call has set `fields`, as decided at `at`: remembers it for all, and gives the claim back. Never rejects.
   * @param unanswered a call under the claim got no answer. It may take effect yet, so others must wait a while longer.
   */
  applied(
    identifier: string,
    fields: AppliedFields,
    at: number,
    claim: Claim | undefined,
    unanswered: boolean,
  ): Promise<void> | undefined;
  /** Gives a claim back after a call that applied nothing, or is not known to have. */
  release(claim: Claim, unanswered: boolean): void;
  close(): void;
}

/** Identifiers remembered at most. */
export const MAX_REMEMBERED = 50_000;

/** Slots of a generation: an Identifier takes a map entry here and two numbers outside the heap. */
class Generation {
  readonly slots = new Map<string, number>();
  readonly times: Float64Array;

  constructor(size: number) {
    this.times = new Float64Array(2 * size);
  }
}

/**
 * Marks of the Identifiers marked last, `maxIdentifiers` at most and half of that at least: two generations, of which
 * the old one is dropped as a whole when the young one is full.
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

  /** Remembers marks, where they are newer than those known. */
  raise(identifier: string, description: number, configuration: number): void {
    const slot = this.#young.slots.get(identifier);
    if (slot !== undefined) {
      raiseTo(this.#young.times, slot, description, configuration);
      return;
    }
    const former = read(this.#old, identifier);
    if (former !== undefined) this.#old.slots.delete(identifier);
    this.#insert(
      identifier,
      Math.max(description, former?.Description ?? Number.NEGATIVE_INFINITY),
      Math.max(configuration, former?.TaskConfigurationId ?? Number.NEGATIVE_INFINITY),
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
    // Nothing ever leaves the young generation, so its size is its next free slot.
    const slot = this.#young.slots.size;
    this.#young.slots.set(identifier, slot);
    this.#young.times[2 * slot] = description;
    this.#young.times[2 * slot + 1] = configuration;
  }
}

/** The mark of a field that was sent, or none. */
export function markOf(value: string | undefined, at: number): number {
  return value === undefined ? Number.NEGATIVE_INFINITY : at;
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
