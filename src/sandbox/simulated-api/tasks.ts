import type { DeviceFacts } from './devices.ts';
import { hashOf } from './hash.ts';
import type { PopulationSettings } from './settings.ts';
import type { UpdateInput } from './validation.ts';

/** A task as in the answer of GetOtaTask; times in epoch seconds. */
export interface SimulatedTask {
  readonly TaskId: string;
  readonly TaskArn: string;
  readonly Description: string;
  readonly TaskConfigurationId: string;
  readonly Status: 'IN_PROGRESS' | 'SCHEDULED' | 'COMPLETED' | 'CANCELED';
  readonly CreatedAt: number;
  readonly LastUpdatedAt: number;
  readonly S3Url: string;
  readonly Protocol: 'HTTP';
  readonly OtaType: 'ONE_TIME';
  readonly OtaMechanism: 'PUSH';
  readonly Target: readonly string[];
}

/** A task as in the answer of ListOtaTasks. */
export type SimulatedTaskSummary = Pick<
  SimulatedTask,
  'TaskId' | 'TaskArn' | 'CreatedAt' | 'LastUpdatedAt' | 'TaskConfigurationId' | 'Status'
>;

/** What updates have changed; everything else of a task is computed from its Identifier. */
interface Stored {
  description: string | null;
  configuration: string | null;
  /** Epoch milliseconds; null until updated. */
  updatedAt: number | null;
  /** When it was last given another configuration. */
  configuredAt: number | null;
}

/** The configurations that tasks have before an update gives them another. */
export const configurationsAtFirst: readonly string[] = Array.from({ length: 10 }, (_, i) => `cfgA${i}`);

const createdWithinMs = 90 * 86_400_000;

export function taskArn(identifier: string): string {
  return `arn:aws:iotmanagedintegrations:eu-west-1:123456789012:ota-task/${identifier}`;
}

/**
 * The tasks. Their initial state is computed from the Identifier, so a task takes memory only once it has been called
 * for.
 */
export class TaskStore {
  readonly #startedAtMs: number;
  readonly #stored = new Map<string, Stored>();
  /** Identifiers in the order of their first call. */
  readonly #touched: string[] = [];
  #exists: (identifier: string) => boolean = () => true;
  #size: () => number = () => 0;
  #at: (index: number) => string | undefined = () => undefined;

  constructor(population: PopulationSettings, startedAtMs: number) {
    this.#startedAtMs = startedAtMs;
    this.setPopulation(population);
  }

  /** Changes which tasks exist; stored updates are kept for when a task exists again. */
  setPopulation(population: PopulationSettings): void {
    if (population.kind === 'all') {
      const { exceptPrefix } = population;
      const except = new Set(population.except);
      this.#exists = (id) => !(except.has(id) || (exceptPrefix !== null && id.startsWith(exceptPrefix)));
      this.#size = () => this.#touched.length;
      this.#at = (index) => this.#touched[index];
    } else if (population.kind === 'listed') {
      const set = new Set(population.identifiers);
      const list = [...set];
      this.#exists = (id) => set.has(id);
      this.#size = () => list.length;
      this.#at = (index) => list[index];
    } else {
      const { prefix, count } = population;
      this.#exists = (id) => {
        if (!id.startsWith(prefix)) return false;
        const number = id.slice(prefix.length);
        return /^[1-9]\d{0,9}$/.test(number) && Number(number) <= count;
      };
      this.#size = () => count;
      this.#at = (index) => (index < count ? `${prefix}${index + 1}` : undefined);
    }
  }

  has(identifier: string): boolean {
    return this.#exists(identifier);
  }

  /** Lists the task from now on. */
  touch(identifier: string): void {
    this.#entry(identifier);
  }

  /** Stores an update; omitted fields stay. */
  apply(identifier: string, input: UpdateInput, nowMs: number): void {
    const entry = this.#entry(identifier);
    if (input.Description !== undefined) entry.description = input.Description;
    const { TaskConfigurationId: wanted } = input;
    if (wanted !== undefined && wanted !== (entry.configuration ?? configurationAtFirst(identifier))) {
      entry.configuration = wanted;
      entry.configuredAt = nowMs;
    }
    entry.updatedAt = nowMs;
  }

  /** Undefined if there is no such task. */
  get(identifier: string): SimulatedTask | undefined {
    if (!this.#exists(identifier)) return undefined;
    const stored = this.#stored.get(identifier);
    const hash = hashOf(identifier);
    const createdMs = this.#startedAtMs - (hash % createdWithinMs);
    return {
      TaskId: identifier,
      TaskArn: taskArn(identifier),
      Description: stored?.description ?? `Simulated task ${identifier.slice(0, 200)}`,
      TaskConfigurationId: stored?.configuration ?? configurationAtFirst(identifier),
      Status: statusOf(identifier, hash),
      CreatedAt: Math.round(createdMs) / 1000,
      LastUpdatedAt: Math.round(stored?.updatedAt ?? createdMs) / 1000,
      S3Url: `s3://sandbox-firmware/${identifier}.bin`,
      Protocol: 'HTTP',
      OtaType: 'ONE_TIME',
      OtaMechanism: 'PUSH',
      Target: [`thing${hash.toString(36)}`],
    };
  }

  /** The facts that determine a task's devices. */
  deviceFacts(task: SimulatedTask): DeviceFacts {
    return {
      identifier: task.TaskId,
      configuration: task.TaskConfigurationId,
      configuredAtMs: this.#stored.get(task.TaskId)?.configuredAt ?? null,
      createdAtMs: task.CreatedAt * 1_000,
    };
  }

  /** Up to `count` tasks from position `start` on; `next` is the position of the next page, null at the end. */
  page(
    start: number,
    count: number,
  ): { readonly items: SimulatedTaskSummary[]; readonly next: number | null } {
    const items: SimulatedTaskSummary[] = [];
    const end = this.#size();
    let index = start;
    for (; index < end && items.length < count; index += 1) {
      const identifier = this.#at(index);
      const task = identifier === undefined ? undefined : this.get(identifier);
      if (task === undefined) continue;
      const { TaskId, TaskArn, CreatedAt, LastUpdatedAt, TaskConfigurationId, Status } = task;
      items.push({ TaskId, TaskArn, CreatedAt, LastUpdatedAt, TaskConfigurationId, Status });
    }
    return { items, next: index < end ? index : null };
  }

  #entry(identifier: string): Stored {
    const known = this.#stored.get(identifier);
    if (known !== undefined) return known;
    const entry: Stored = { description: null, configuration: null, updatedAt: null, configuredAt: null };
    this.#stored.set(identifier, entry);
    this.#touched.push(identifier);
    return entry;
  }
}

function configurationAtFirst(identifier: string): string {
  return configurationsAtFirst[hashOf(identifier) % configurationsAtFirst.length] ?? '';
}

/** Determined by the beginning of the Identifier, so that tests can have a task of each status; otherwise by its hash. */
function statusOf(identifier: string, hash: number): SimulatedTask['Status'] {
  if (identifier.startsWith('completed')) return 'COMPLETED';
  if (identifier.startsWith('canceled')) return 'CANCELED';
  return hash % 4 === 0 ? 'SCHEDULED' : 'IN_PROGRESS';
}
