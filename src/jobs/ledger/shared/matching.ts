/** Which row an outcome belongs to, and whether it still counts. PURE. */
import type { Outcome } from '../../../message/outcome.ts';
import { remoteName, remoteText } from '../../../text/remote.ts';
import { WITHOUT_JOB } from '../ledger.ts';
import { parseRequestId, type RowEnd } from '../row.ts';
import { parsed, type Raw } from './records.ts';

/**
 * How many outcomes without a job are kept: the latest. Those of a job whose plan is elsewhere are all kept, some 300 bytes
 * each: no other ledger took them, so an outcome that is dropped here is lost.
 */
export const MAX_WITHOUT_JOB = 100_000;
const MAX_CAUSE_LENGTH = 100;
/** An outcome may claim up to 2^53 API calls, and `node:sqlite` refuses to read a sum of a few such numbers. */
const MAX_CALLS = 1_000_000;

/** The columns read of a row that an outcome names. */
export const NAMED_COLUMNS =
  'row, identifier, description, configuration, state, at, try, sends, message_ids, request_id, row_issued_at';

/** Limit on rows with one RequestId that are looked at. It can occur any number of times, but hardly with the same Identifier. */
export const MAX_NAMED = 100;

/** The job that an outcome names. */
export interface KnownJob {
  readonly key: number;
  /** null: of a job whose plan is elsewhere. */
  readonly issuedAt: unknown;
  readonly plan: PlanPlace;
}

/**
 * Where a job is sent from: by this ledger; `elsewhere`: by another one, which this ledger knows because it gave the job away or has
 * a copy; `unknown`: this ledger has no plan of the job.
 */
type PlanPlace = 'here' | 'elsewhere' | 'unknown';

/** @param job its `digest` and `state`. */
export function planOf(job: Raw | undefined): PlanPlace {
  if (typeof job?.digest !== 'string') return 'unknown';
  return job.state === 'elsewhere' ? 'elsewhere' : 'here';
}

/**
 * Whether this ledger stores outcomes of a job. Those of a job that is elsewhere are left to the ledger that has it, however long they
 * stay on the queue.
 * @param abandoned whether no ledger has taken them for a long time.
 */
export function takesOutcomes(plan: PlanPlace, abandoned: boolean): boolean {
  return plan === 'here' || (plan === 'unknown' && abandoned);
}

export const withoutJobKnown: KnownJob = { key: WITHOUT_JOB, issuedAt: null, plan: 'here' };

/** A row that an outcome names, and the try that the outcome belongs to. */
export interface NamedRow {
  readonly row: number;
  /** {@link NAMED_COLUMNS}. */
  readonly raw: Raw;
  readonly attempt: number;
}

/** How an outcome ends a row, in columns that `rows` and `parked` have in common. */
export interface End {
  readonly state: string;
  readonly cause: string;
  readonly reason: string | null;
  readonly error: string | null;
  readonly attempts: number | null;
  readonly at: string | null;
}

/**
 * The rows that an outcome names by its RequestId. Another producer may use the same JobId and the same row numbers, so the
 * Identifier must match, too.
 * @param byNumber the row of that number, if its file gave it no RequestId.
 * @param byName rows whose file gave them that RequestId and Identifier.
 */
export function rowsNamed(
  { RequestId: name, Identifier: identifier }: Pick<Outcome, 'RequestId' | 'Identifier'>,
  byNumber: (row: number) => Raw | undefined,
  byName: (name: string, identifier: string) => readonly Raw[],
): readonly NamedRow[] {
  if (name === undefined) return [];
  const numbered = parseRequestId(name);
  const raw = numbered && byNumber(numbered.Row);
  if (numbered !== undefined && raw !== undefined && (identifier ?? raw.identifier) === raw.identifier)
    return [{ row: numbered.Row, raw, attempt: numbered.try }];
  if (identifier === undefined) return [];
  // The name contains no try, so the outcome counts for the present one. The message id tells which row it belongs to.
  return byName(name, identifier).map((one) => ({
    row: Number(one.row),
    raw: one,
    attempt: Number(one.try),
  }));
}

/** The row that the outcome belongs to; undefined: none of them. */
export function ownRow(rows: readonly NamedRow[], outcome: Outcome, job: KnownJob): NamedRow | undefined {
  return ofMessage(rows, outcome) ?? rows.find((one) => hasValues(one, outcome, job));
}

type MessageIds = Pick<Outcome, 'MessageId' | 'OriginalMessageId'>;

/** The row that one of these message ids belongs to, with the try of that message. */
function ofMessage(rows: readonly NamedRow[], ids: MessageIds): NamedRow | undefined {
  const own = rows.find(({ raw }) => hasMessage(raw, ids));
  if (own === undefined || typeof own.raw.request_id !== 'string') return own;
  // The name contains no try: for a row that was tried again, only its last message is of the present try.
  const { state, message_ids: known } = own.raw;
  const isPresent =
    state !== 'planned' &&
    state !== 'sending' &&
    hasMessage({ message_ids: String(known).split(' ').at(-1) }, ids);
  return isPresent ? own : { ...own, attempt: 0 };
}

/**
 * Whether this ledger sent the outcome's message for the row. Anyone who may send to the update queue can name any row, so
 * the message id decides.
 */
function hasMessage(
  { message_ids: ids }: Raw,
  { MessageId, OriginalMessageId = MessageId }: MessageIds,
): boolean {
  const known = String(ids).split(' ');
  return known.includes(MessageId) || known.includes(OriginalMessageId);
}

/**
 * For an outcome that was parked before its job was entered: the row that it belongs to, by message id, and how it ends the row;
 * undefined: none of the rows.
 * @param rows that it names; see {@link namesOfParked}.
 */
export function ownOfParked(
  rows: readonly NamedRow[],
  parked: Raw,
): { readonly own: NamedRow; readonly end: End } | undefined {
  const own = ofMessage(rows, { MessageId: String(parked.message_id) });
  const { attempt: _, ...end } = endOfParked(parked);
  return own && { own, end };
}

/** What a parked outcome names. */
export function namesOfParked({
  name,
  identifier,
}: Raw): Pick<Outcome, 'RequestId'> & Partial<Pick<Outcome, 'Identifier'>> {
  return { RequestId: String(name), ...(typeof identifier === 'string' && { Identifier: identifier }) };
}

/**
 * A process that was killed after a send never learned the message id. Then an outcome also counts if it has everything that the
 * row's own update has, and sending the row was ever begun.
 */
function hasValues({ raw: row, attempt }: NamedRow, outcome: Outcome, { issuedAt }: KnownJob): boolean {
  return (
    Number(row.sends) > 0 &&
    attempt <= Number(row.try) &&
    outcome.Identifier !== undefined &&
    outcome.IssuedAt === (row.row_issued_at ?? issuedAt) &&
    (outcome.Description ?? null) === row.description &&
    (outcome.TaskConfigurationId ?? null) === row.configuration
  );
}

/**
 * Whether an outcome of the try `attempt` ends the row. `applied` and `superseded` are final, whichever try they belong to: the values
 * are in place, or newer ones are. A dead letter counts for the present try only, and the later of two wins.
 * @param row its `state`, `try` and `at`.
 */
export function takesEnd(row: Raw, { state, at }: Pick<End, 'state' | 'at'>, attempt: number): boolean {
  if (row.state === 'applied' || row.state === 'superseded') return false;
  if (state !== 'dead-lettered') return true;
  return Number(row.try) <= attempt && (row.state !== 'dead-lettered' || isLater(at, row.at));
}

function isLater(one: string | null, other: unknown): boolean {
  return one !== null && typeof other === 'string' && one > other;
}

export function endOf({ Outcome: state, Reason, Error: error, Attempts, At }: Outcome): End {
  const { name = '', message = '', requestId } = error ?? {};
  const shown = { name: remoteName(name), message: remoteText(message) };
  const kept = error && { ...error, ...shown, ...(requestId && { requestId: remoteName(requestId) }) };
  return {
    state,
    cause: causeOf(state, kept?.name ?? Reason),
    reason: Reason ?? null,
    error: kept === undefined ? null : JSON.stringify(kept),
    attempts: Math.min(Attempts, MAX_CALLS),
    at: At,
  };
}

function causeOf(state: string, code: unknown): string {
  return state === 'dead-lettered' ? String(code ?? 'Unknown').slice(0, MAX_CAUSE_LENGTH) : '';
}

/** What is stored of an outcome that ends no row, besides its end. */
export function parkedOf(outcome: Outcome, { key }: KnownJob, rows: readonly NamedRow[]) {
  return {
    job: key,
    messageId: outcome.OriginalMessageId ?? outcome.MessageId,
    name: key === WITHOUT_JOB ? outcome.MessageId : (outcome.RequestId ?? outcome.MessageId),
    row: rows[0]?.row ?? null,
    identifier: outcome.Identifier ?? null,
  };
}

/** The end that a parked outcome describes, and the try that it belongs to. */
export function endOfParked(parked: Raw): End & { readonly attempt: number } {
  const { name, state, reason, error } = parked;
  const { name: code } =
    typeof error === 'string' ? parsed<NonNullable<RowEnd['error']>>(error) : { name: reason };
  const { attempts, at } = parked;
  return {
    ...({ state, reason, error, attempts, at } as Omit<End, 'cause'>),
    cause: causeOf(String(state), code),
    // A RequestId from a file contains no try: the message belongs to the present one.
    attempt: parseRequestId(String(name))?.try ?? Number.MAX_SAFE_INTEGER,
  };
}
