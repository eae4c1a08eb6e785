/**
 * Carries a change out, and logs who did it, why, and how it ended. A change that cannot be logged is not
 * made.
 */
import { randomUUID } from 'node:crypto';
import {
  type Audit,
  AuditError,
  type AuditEvent,
  type AuditFacts,
  type OpenAudit,
  openAudit,
} from '../changes/audit.ts';

/** The log of a STATE_DIR. @param now epoch milliseconds. */
export function logIn(stateDir: string, now: () => number): OpenAudit {
  return (facts) => openAudit(stateDir, facts, now);
}

interface Permission {
  /** Who changes it. */
  readonly by: string;
  readonly reason: string;
}

interface Change<Report> extends Permission {
  /** Run id in its lines; default: a new one. */
  readonly run?: string;
  readonly action: AuditFacts['action'];
  /** The request, for the log. */
  readonly asked: Readonly<Record<string, unknown>>;
  readonly carryOut: (audit: Audit) => Promise<Report>;
  /** The report, for the log. */
  readonly resultOf: (report: Report) => Readonly<Record<string, unknown>>;
}

interface CarriedOut<Report> {
  readonly report: Report;
  /** Path of the log. */
  readonly path: string;
  /** Why the end is not in the log; undefined if it is. */
  readonly endUnlogged: AuditError | undefined;
}

/** @throws AuditError if the log cannot be written before anything is changed; what `carryOut` throws. */
export async function carryOutLogged<Report>(
  { run = randomUUID(), action, by, reason, asked, carryOut, resultOf }: Change<Report>,
  openLog: OpenAudit,
): Promise<CarriedOut<Report>> {
  const log = await openLog({ run, action, by, reason });
  try {
    await log.write({ event: 'begin', what: asked });
    const report = await carryOut(log.write);
    // If the end cannot be logged, the change stays made: the report says so.
    const endUnlogged = await log
      .write({ event: 'end', result: resultOf(report) })
      .then(log.close)
      .then(() => undefined, asAuditError);
    return { report, path: log.path, endUnlogged };
  } finally {
    await log.close().catch(() => undefined);
  }
}

/** Logs a single line. @throws AuditError if the log cannot be written. */
export async function logLine(facts: AuditFacts, event: AuditEvent, openLog: OpenAudit): Promise<void> {
  const log = await openLog(facts);
  try {
    await log.write(event);
    await log.close();
  } finally {
    await log.close().catch(() => undefined);
  }
}

function asAuditError(error: unknown): AuditError {
  if (error instanceof AuditError) return error;
  throw error;
}
