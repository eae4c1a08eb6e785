/**
 * Looks at the task configurations that a plan sets, each once: a wrong id would reach the devices behind every task of its rows.
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
  /** Resolves after `ms`, or at once when `signal` aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** What was found out. */
export interface Look {
  /** Why they were not all looked at, a phrase; undefined: all were. */
  readonly unlooked: string | undefined;
  /** Of those that exist the first thousand, by id. */
  readonly found: Map<string, OtaConfiguration>;
}

/** Nobody waits longer for the first answer: a plan of a file can be made without. */
const PATIENCE_MS = 10_000;
/** Beyond it a configuration is looked at and forgotten: there may be one for each row. */
const MAX_KEPT = 1_000;

/**
 * Asks for every id until the API cannot be asked; what it answers of one id alone is told to `refuse`.
 * @param refuse gets the reason, as a sentence without its full stop.
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

/** Why an id is none to set, a sentence without its full stop; undefined: the failure is not about the id. PURE. */
export function refusalOf(id: string, { kind, status, name, message }: Failure): string | undefined {
  if (kind !== 'rejected') return undefined;
  return status === 404
    ? `there is no task configuration ${id} (404)`
    : `the task configuration ${id}: ${name}: ${message}`;
}

/** The warning for a plan whose configurations could not be looked at. */
export function unlookedWarning(why: string): string {
  return `the task configurations were not looked at, so that a wrong id is not found here: ${why}`;
}
