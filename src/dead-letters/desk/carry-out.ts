/** Carries a change out, and logs who did it, why, and how it ended. What cannot be logged is not done. */
import { randomUUID } from 'node:crypto';
import { type Audit, type AuditFacts, openAudit } from '../changes/audit.ts';

interface Permission {
  /** Who changes it. */
  readonly by: string;
  readonly reason: string;
}

interface Change<Report> extends Permission {
  readonly action: AuditFacts['action'];
  /** What was asked for, for the log. */
  readonly asked: Readonly<Record<string, unknown>>;
  readonly carryOut: (audit: Audit) => Promise<Report>;
  /** The report, for the log. */
  readonly resultOf: (report: Report) => Readonly<Record<string, unknown>>;
}

/**
 * @param stateDir folder of the log. @param now epoch milliseconds.
 * @returns the report, and the path of the log. @throws AuditError when the log cannot be written; what `carryOut` throws.
 */
export async function carryOutLogged<Report>(
  { action, by, reason, asked, carryOut, resultOf }: Change<Report>,
  stateDir: string,
  now: () => number,
): Promise<{ readonly report: Report; readonly path: string }> {
  const log = await openAudit(stateDir, { run: randomUUID(), action, by, reason }, now);
  try {
    await log.write({ event: 'begin', what: asked });
    const report = await carryOut(log.write);
    await log.write({ event: 'end', result: resultOf(report) });
    return { report, path: log.path };
  } finally {
    await log.close();
  }
}
