/** The log of changes: who changed what, and why, with one JSON line per step. Lines are only appended. */
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { appendPrivate } from '../../files/private.ts';
import { printableJson } from '../../text/printable.ts';
import { causeOf } from '../letters/causes.ts';
import type { Letter } from '../letters/letter.ts';

/** Name of the file in `STATE_DIR`. */
export const AUDIT_FILE = 'dead-letters.log';

/** The log cannot be written: nothing more may be changed. */
export class AuditError extends Error {
  override readonly name = 'AuditError';
  readonly path: string;

  /** @param cause the system's error. */
  constructor(path: string, cause: unknown) {
    super('the log of changes cannot be written', { cause });
    this.path = path;
  }
}

export interface AuditFacts {
  /** The same in all lines of one command, or of one change of the console. */
  readonly run: string;
  readonly action: 'redrive' | 'purge';
  readonly by: string;
  /** The reason given for it. */
  readonly reason: string;
}

export interface AuditedLetter {
  readonly messageId: string;
  readonly cause: string;
  readonly identifier?: string;
  readonly jobId?: string;
  readonly requestId?: string;
}

export type AuditEvent =
  | { readonly event: 'begin'; readonly what: Readonly<Record<string, unknown>> }
  /** Written before the letters are changed: after a crash the log may name letters that were not changed. */
  | { readonly event: 'letters'; readonly letters: readonly AuditedLetter[] }
  /** `by` and `reason` say who stopped the change, or dropped its plan, in which case it was never begun. */
  | { readonly event: 'stop' }
  | { readonly event: 'drop'; readonly what: Readonly<Record<string, unknown>> }
  | { readonly event: 'end'; readonly result: Readonly<Record<string, unknown>> };

/** Resolves when the operating system has the line; rejects with AuditError if it cannot be written. */
export type Audit = (event: AuditEvent) => Promise<void>;

export interface AuditLog {
  readonly path: string;
  readonly write: Audit;
  /** Rejects with AuditError if the operating system has lost lines. May be called again. */
  readonly close: () => Promise<void>;
}

/** Opens the log for one command or change. @throws AuditError if it cannot be written. */
export type OpenAudit = (facts: AuditFacts) => Promise<AuditLog>;

/**
 * Opens the log in a folder; creates missing ones.
 * @param now in epoch milliseconds.
 * @throws AuditError if it cannot be written.
 */
export async function openAudit(folder: string, facts: AuditFacts, now: () => number): Promise<AuditLog> {
  const path = join(folder, AUDIT_FILE);
  const fail = (error: unknown): never => {
    throw new AuditError(path, error);
  };
  const file = await appendPrivate(path).catch(fail);
  return {
    path,
    write: async (event) => {
      // One write per line, so that concurrent commands do not mix their lines.
      const line = printableJson({ at: new Date(now()).toISOString(), ...facts, ...event });
      const cutOff = await endsInLine(file).catch(fail);
      await file.appendFile(`${cutOff ? '\n' : ''}${line}\n`).catch(fail);
    },
    close: () => file.close().catch(fail),
  };
}

/** Whether the last line was cut off, as by a full disk: a line appended to it could not be parsed. */
async function endsInLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString() !== '\n';
}

/** What the log records of a letter: enough to find it in other logs. */
export function audited(letter: Letter): AuditedLetter {
  const { identifier, jobId, requestId, reason, errorName } = letter;
  return {
    messageId: letter.message.messageId,
    cause: `${causeOf(letter).group} ${reason} ${errorName.slice(0, 100)}`,
    ...(identifier !== undefined && { identifier }),
    ...(jobId !== undefined && { jobId }),
    ...(requestId !== undefined && { requestId }),
  };
}
