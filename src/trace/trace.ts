/** Everything that is known about one task. PURE. */
import type { OtaTask } from '../ota/answers.ts';
import type { UpdateSource, Values } from './finding.ts';
import type { KnownUpdate } from './updates.ts';

/**
 * The result of asking a source:
 *
 *   read      everything it has
 *   in-part   not everything; `what` says why
 *   failed    nothing; `what` says why
 *   not-asked it was not given, or does not exist
 */
export interface SourceReport {
  readonly source: UpdateSource | 'task';
  readonly state: 'read' | 'in-part' | 'failed' | 'not-asked';
  /** A phrase: what was read, or why not. */
  readonly what: string;
}

export interface Trace {
  readonly identifier: string;
  /** Its present state in the API; `gone` if the API has no such task; undefined if it was not read. */
  readonly task: OtaTask | 'gone' | undefined;
  /** Oldest first. */
  readonly updates: readonly KnownUpdate[];
  readonly sources: readonly SourceReport[];
}

/** Whether every source that was asked has told everything it knows. */
export function isComplete({ sources }: Pick<Trace, 'sources'>): boolean {
  return sources.every(({ state }) => state === 'read' || state === 'not-asked');
}

/** A field of the task, compared with the update that last set it, as far as known. */
export interface Comparison {
  readonly field: keyof Values;
  /** Empty if the task has no value. */
  readonly now: string;
  readonly set: { readonly value: string; readonly by: KnownUpdate } | undefined;
}

const fields = ['Description', 'TaskConfigurationId'] as const satisfies readonly (keyof Values)[];

/** Of the applied updates with known values, the one decided on last counts, as for the worker. */
export function compare(task: OtaTask, updates: readonly KnownUpdate[]): Comparison[] {
  return fields.map((field) => {
    // For an update applied in part, it is unknown here which fields were left out.
    const setting = updates.findLast(
      ({ end, values }) =>
        end?.state === 'applied' && end.note === undefined && values?.[field] !== undefined,
    );
    const value = setting?.values?.[field];
    return {
      field,
      now: task[field] ?? '',
      set: setting === undefined || value === undefined ? undefined : { value, by: setting },
    };
  });
}
