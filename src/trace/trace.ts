/** Everything that is known of one task. PURE. */
import type { OtaTask } from '../ota/answers.ts';
import type { UpdateSource, Values } from './finding.ts';
import type { KnownUpdate } from './updates.ts';

/**
 * What became of asking a source:
 *
 *   read      all that it has
 *   in-part   not all of it; `what` says why
 *   failed    nothing; `what` says why
 *   not-asked it was not given, or there is none
 */
export interface SourceReport {
  readonly source: UpdateSource | 'task';
  readonly state: 'read' | 'in-part' | 'failed' | 'not-asked';
  /** A phrase: what was read, or why not. */
  readonly what: string;
}

export interface Trace {
  readonly identifier: string;
  /** As the API has it now; `gone` where it has no such task; undefined where it was not read. */
  readonly task: OtaTask | 'gone' | undefined;
  /** The oldest first. */
  readonly updates: readonly KnownUpdate[];
  readonly sources: readonly SourceReport[];
}

/** Whether every source that was asked has told all it knows. */
export function isComplete({ sources }: Pick<Trace, 'sources'>): boolean {
  return sources.every(({ state }) => state === 'read' || state === 'not-asked');
}

/** A field of the task beside the update that was the last to set it, as far as is known. */
export interface Comparison {
  readonly field: keyof Values;
  /** Empty where the task has none. */
  readonly now: string;
  readonly set: { readonly value: string; readonly by: KnownUpdate } | undefined;
}

const fields = ['Description', 'TaskConfigurationId'] as const satisfies readonly (keyof Values)[];

/** Of the applied updates whose values are known the one counts that was decided on last, as for the worker. */
export function compare(task: OtaTask, updates: readonly KnownUpdate[]): Comparison[] {
  return fields.map((field) => {
    // Of one applied in part it is not known here which of its fields were left out.
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
