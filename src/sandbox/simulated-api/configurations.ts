/**
 * The task configurations: the initial ones, computed from their ids, and those created. Ids that differ only in their
 * digits have the same settings, so that a change from one family to another always has the same effect.
 */

import type { ConfigurationInput } from './configuration-body.ts';
import { hashOf } from './hash.ts';
import type { ConfigurationSettings } from './settings.ts';
import { configurationsAtFirst } from './tasks.ts';

/** A configuration as in the answer of GetOtaTaskConfiguration; times in epoch seconds. */
export interface SimulatedConfiguration {
  readonly TaskConfigurationId: string;
  readonly Name?: string | undefined;
  readonly Description?: string | undefined;
  readonly PushConfig?: object | undefined;
  readonly CreatedAt: number;
}

type Created = { readonly id: string } | 'conflict';

const createdWithinMs = 365 * 86_400_000;

export class ConfigurationStore {
  readonly #startedAtMs: number;
  readonly #random: () => number;
  readonly #created = new Map<string, SimulatedConfiguration>();
  /** By client token: the configuration it created, and the input. */
  readonly #tokens = new Map<string, { readonly id: string; readonly input: string }>();
  /** The listed configurations: ids in the order in which they became known. */
  readonly #known = new Set<string>();
  #exists: (id: string) => boolean = () => true;

  constructor(population: ConfigurationSettings, startedAtMs: number, random: () => number) {
    this.#startedAtMs = startedAtMs;
    this.#random = random;
    this.setPopulation(population);
  }

  /** Changes which configurations exist in addition to those created. */
  setPopulation(population: ConfigurationSettings): void {
    if (population.kind === 'listed') {
      const set = new Set(population.ids);
      this.#exists = (id) => set.has(id);
      for (const id of set) this.#known.add(id);
      return;
    }
    const { exceptPrefix } = population;
    this.#exists = (id) => exceptPrefix === null || !id.startsWith(exceptPrefix);
    for (const id of configurationsAtFirst) this.#known.add(id);
  }

  has(id: string): boolean {
    return this.#created.has(id) || this.#exists(id);
  }

  /** Undefined if there is none. From now on it is listed. */
  get(id: string): SimulatedConfiguration | undefined {
    const created = this.#created.get(id);
    if (created !== undefined) return created;
    if (!this.#exists(id)) return undefined;
    this.#known.add(id);
    return this.#computed(id);
  }

  /** For a token that was used before: the result of that call, or a conflict if its input differed. */
  create(input: ConfigurationInput, nowMs: number): Created {
    const { ClientToken: token, ...fields } = input;
    const text = JSON.stringify(fields);
    const before = token === undefined ? undefined : this.#tokens.get(token);
    if (before !== undefined) return before.input === text ? { id: before.id } : 'conflict';
    const id = this.#newId();
    this.#created.set(id, { TaskConfigurationId: id, ...fields, CreatedAt: Math.round(nowMs) / 1_000 });
    this.#known.add(id);
    if (token !== undefined) this.#tokens.set(token, { id, input: text });
    return { id };
  }

  /** Up to `count` configurations from position `start` on; `next` is the position of the next page, null at the end. */
  page(start: number, count: number): { readonly items: object[]; readonly next: number | null } {
    const ids = [...this.#known].filter((id) => this.has(id));
    const items = ids.slice(start, start + count).map((id) => {
      const { TaskConfigurationId, Name, CreatedAt } = this.#created.get(id) ?? this.#computed(id);
      return { TaskConfigurationId, ...(Name !== undefined && { Name }), CreatedAt };
    });
    return { items, next: start + count < ids.length ? start + count : null };
  }

  #computed(id: string): SimulatedConfiguration {
    const hash = hashOf(id.replace(/\d+/g, ''));
    return {
      TaskConfigurationId: id,
      Name: `Simulated ${id}`,
      Description: `Simulated configuration ${id}`,
      PushConfig: {
        AbortConfig: {
          AbortConfigCriteriaList: [
            {
              Action: 'CANCEL',
              FailureType: 'FAILED',
              MinNumberOfExecutedThings: 50 + (hash % 2) * 50,
              ThresholdPercentage: 5 + (hash % 4) * 5,
            },
          ],
        },
        RolloutConfig: {
          ExponentialRolloutRate: {
            BaseRatePerMinute: 10 + (hash % 5) * 10,
            IncrementFactor: 2,
            RateIncreaseCriteria: { numberOfSucceededThings: 50 },
          },
          MaximumPerMinute: 500 + (hash % 4) * 500,
        },
        TimeoutConfig: { InProgressTimeoutInMinutes: 30 + (hash % 3) * 30 },
      },
      CreatedAt: Math.round(this.#startedAtMs - (hash % createdWithinMs)) / 1_000,
    };
  }

  /** Digits only, so that the output of a walk-through looks the same for any id; counted, so that ids are unique. */
  #newId(): string {
    const random = String(Math.floor(this.#random() * 1e10)).padStart(10, '0');
    return `cfg${random}${this.#created.size + 1}`;
  }
}
