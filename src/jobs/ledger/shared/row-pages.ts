/**
 * What is read of a job's rows through an index, as fast for a million rows as for a hundred: filtered pages, and the figures of a
 * standing. PURE.
 */
import type { RowFilter } from '../row.ts';
import { RECONCILED } from './counts.ts';
import { LEFT_OUT_COLUMNS, ROW_COLUMNS } from './records.ts';

const COLUMNS = `${ROW_COLUMNS}, NULL AS left_out`;
const FAILED = "state IN ('dead-lettered', 'refused')";
const BESIDES = `(:state = '' OR state = :state OR (:state = 'failed' AND ${FAILED}))`;

/** The tallies that `toCounts` takes. */
export function talliesStatement(by: (index: string) => string): string {
  // One statement, so an end that is reconciled meanwhile is in both parts or in neither. A row that is planned again keeps its
  // mark.
  return `SELECT state, cause, rows, calls, calls_of FROM tallies WHERE job = :job
    UNION ALL SELECT '${RECONCILED}', '', count(*), 0, 0 FROM rows ${by('rows_reconciled')}
      WHERE job = :job AND reconciled = 1 AND state IN ('applied', 'superseded', 'dead-lettered')`;
}

/** When the last row of `:job` was sent, as `at`; gives no row if none was. */
export function lastSentStatement(by: (index: string) => string): string {
  return `SELECT sent_at AS at FROM rows ${by('rows_by_sending')} WHERE job = :job AND sent_at IS NOT NULL
    ORDER BY sent_at DESC LIMIT 1`;
}

/**
 * Statements for every database.
 * @param by the text that makes the database use the index of that name; '' if the database chooses it by itself.
 */
export function indexedStatements(by: (index: string) => string) {
  const ofState = (index: string, condition: string): string =>
    `SELECT ${COLUMNS} FROM rows ${by(index)} WHERE job = :job AND ${condition} AND row > :after ORDER BY row LIMIT :max`;
  return {
    plannedPage: ofState('rows_planned', "state = 'planned'"),
    sendingPage: ofState('rows_sending', "state = 'sending'"),
    sentPage: ofState('rows_sent', "state = 'sent'"),
    appliedPage: ofState('rows_applied', "state = 'applied'"),
    supersededPage: ofState('rows_superseded', "state = 'superseded'"),
    notSentPage: ofState('rows_not_sent', "state = 'not-sent'"),
    failedPage: ofState('rows_failed', FAILED),
    deadLetteredPage: ofState('rows_failed', `${FAILED} AND state = 'dead-lettered'`),
    refusedPage: ofState('rows_failed', `${FAILED} AND state = 'refused'`),
    causePage: `SELECT ${COLUMNS} FROM rows ${by('rows_by_cause')} WHERE job = :job AND cause <> '' AND cause = :cause
      AND row > :after AND ${BESIDES} ORDER BY row LIMIT :max`,
    leftOutPage: `SELECT row, identifier, description, configuration, reason, state AS left_out FROM left_out
      WHERE job = :job AND row > :after ORDER BY row LIMIT :max`,
    // An index by Identifier would double the time to enter the rows of every job.
    namedPage: `SELECT ${COLUMNS} FROM rows WHERE job = :job AND row > :after AND row <= :until
      AND identifier >= :from AND identifier < :below AND ${BESIDES} AND (:cause = '' OR cause = :cause)
      UNION ALL SELECT ${LEFT_OUT_COLUMNS} FROM left_out WHERE job = :job AND row > :after AND row <= :until
      AND identifier >= :from AND identifier < :below AND :state IN ('', 'left-out') AND :cause = ''
      ORDER BY 1 LIMIT :max`,
    reconciled: `SELECT count(*) AS rows FROM rows ${by('rows_reconciled')} WHERE job = :job AND reconciled = 1`,
    tallies: talliesStatement(by),
    lastSent: lastSentStatement(by),
    lastEnd: `SELECT at FROM rows ${by('rows_by_end')} WHERE job = :job AND at IS NOT NULL ORDER BY at DESC LIMIT 1`,
    lastFailed: `SELECT ${ROW_COLUMNS} FROM rows ${by('rows_failed')} WHERE job = :job AND ${FAILED}
      ORDER BY at DESC, row LIMIT :max`,
  } as const;
}

export type IndexedStatement = keyof ReturnType<typeof indexedStatements>;

const ofState = {
  planned: 'plannedPage',
  sending: 'sendingPage',
  sent: 'sentPage',
  applied: 'appliedPage',
  superseded: 'supersededPage',
  'not-sent': 'notSentPage',
  failed: 'failedPage',
  'dead-lettered': 'deadLetteredPage',
  refused: 'refusedPage',
  'left-out': 'leftOutPage',
} as const satisfies Record<NonNullable<RowFilter['state']>, IndexedStatement>;

/** The statement for a page that is no search by Identifier, and its parameters besides job, place and length. */
export function pageOf({ state, cause }: RowFilter): {
  readonly statement: IndexedStatement | 'page';
  readonly parameters: Readonly<Record<string, string>>;
} {
  if (cause !== undefined) return { statement: 'causePage', parameters: { cause, state: state ?? '' } };
  return { statement: state === undefined ? 'page' : ofState[state], parameters: {} };
}

/** The parameters of a search by the beginning of Identifiers. Every matching Identifier sorts before the second bound. */
export function searchOf({ state, cause, identifier = '' }: RowFilter): Readonly<Record<string, string>> {
  return { state: state ?? '', cause: cause ?? '', from: identifier, below: `${identifier}~` };
}
