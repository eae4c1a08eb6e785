/**
 * Looks up each task configuration that a plan sets once: a wrong id would reach the devices behind every task of its rows.
 */
import { explainRead } from '../../message/explain-read.ts';
import type { Failure } from '../../message/failure.ts';
import type { OtaConfiguration } from '../../ota/answers.ts';
import type { OtaReader } from '../../ota/reader.ts';
import { inOrder } from './read-tasks.ts';

export type ConfigurationGetter = Pick<OtaReader, 'configuration'>;

export interface LookOptions {
  readonly reader: ConfigurationGetter;
  readonly maxConcurrency: number;
  readonly signal: AbortSignal;
  /** Resolves after `ms`, or immediately when `signal` aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The result of a look. */
export interface Look {
  /** Why not all were looked up, as a phrase; undefined: all were. */
  readonly unlooked: string | undefined;
  /** The first thousand of those that exist, by id. */
  readonly found: Map<string, OtaConfiguration>;
}

/** Time limit for the first answer: a plan from a file can be made without looking. */
const PATIENCE_MS = 10_000;
/** Beyond this number configurations are looked up but not kept: every row may have a different one. */
const MAX_KEPT = 1_000;

/**
 * Looks up every id until the API cannot be asked; faults of a single id are passed to `refuse`.
 * @param refuse receives the reason, as a sentence without its full stop.
 */
export async function lookAt(
  ids: AsyncIterable<string>,
  refuse: (id: string, reason: string) => void,
  { reader, maxConcurrency, signal, sleep }: LookOptions,
): Promise<Look> {
  const found = new Map<string, OtaConfiguration>();
  const answered = new AbortController();
  const late = sleep(PATIENCE_MS, answered.signal).then(() =>
    answered.signal.aborted ? new Promise<never>(() => {}) : ('late' as const),
  );
  const ask = async (id: string) => ({ id, answer: await Promise.race([reader.configuration(id), late]) });
  try {
    for await (const { id, answer } of inOrder(ids, maxConcurrency, ask)) {
      if (answer === 'late')
        return { found, unlooked: `no answer to GetOtaTaskConfiguration within ${PATIENCE_MS / 1_000} s` };
      answered.abort();
      if (signal.aborted) return { found, unlooked: 'interrupted' };
      if (answer.ok) {
        if (found.size < MAX_KEPT) found.set(id, answer.value);
        continue;
      }
      const reason = refusalOf(id, answer.failure);
      if (reason === undefined)
        return { found, unlooked: explainRead('GetOtaTaskConfiguration', answer.failure) };
      refuse(id, reason);
    }
    return { found, unlooked: undefined };
  } finally {
    answered.abort();
  }
}

/** Why an id must not be set, as a sentence without its full stop; undefined: the failure is not about the id. PURE. */
export function refusalOf(id: string, { kind, status, name, message }: Failure): string | undefined {
  if (kind !== 'rejected') return undefined;
  return status === 404
    ? `there is no task configuration ${id} (404)`
    : `the task configuration ${id}: ${name}: ${message}`;
}

/** The warning for a plan whose configurations could not be looked up. */
export function unlookedWarning(why: string): string {
  return `the task configurations were not checked, so a wrong id goes unnoticed here: ${why}`;
}
