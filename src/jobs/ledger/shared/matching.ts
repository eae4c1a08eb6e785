/** Which row an outcome belongs to, and whether it still counts. PURE. */
import type { Outcome } from '../../../message/outcome.ts';
import { remoteName, remoteText } from '../../../text/remote.ts';
import { WITHOUT_JOB } from '../ledger.ts';
import { parseRequestId, type RowEnd } from '../row.ts';
import { parsed, type Raw } from './records.ts';

/**
 * Outcomes without a job that are kept, the latest. Those of a job whose plan is elsewhere are all kept, some 300 bytes
 * each: nobody else has taken them, so an outcome that is dropped here is lost.
 */
export const MAX_WITHOUT_JOB = 100_000;
const MAX_CAUSE_LENGTH = 100;
/** An outcome may claim up to 2^53 API calls, and `node:sqlite` refuses to read a sum of a few such. */
const MAX_CALLS = 1_000_000;

/** What is read of a row that an outcome names. */
export const NAMED_COLUMNS =
  'row, identifier, description, configuration, state, at, try, sends, message_ids, request_id, row_issued_at';

/** Rows of one RequestId that are looked at: there can be as many as there are; of one Identifier, too, hardly any. */
export const MAX_NAMED = 100;

/** The job that an outcome names. */
export interface KnownJob {
  readonly key: number;
  /** null: of a job whose plan is elsewhere. */
  readonly issuedAt: unknown;
  readonly plan: PlanPlace;
}

/**
 * Where a job is sent from: by this ledger; by another one, as this one knows for sure, since it gave the job away or has a copy; or
 * `unknown`, where this ledger has no plan of it.
 */
type PlanPlace = 'here' | 'elsewhere' | 'unknown';

/** @param job its `digest` and `state`. */
export function planOf(job: Raw | undefined): PlanPlace {
  if (typeof job?.digest !== 'string') return 'unknown';
  return job.state === 'elsewhere' ? 'elsewhere' : 'here';
}

/**
 * Whether this ledger stores outcomes of a job. Those of a job that is elsewhere are left to the ledger that has it, however long they
 * are on their queue: this one never takes them as its own.
 * @param abandoned whether no ledger has taken them for long.
 */
export function takesOutcomes(plan: PlanPlace, abandoned: boolean): boolean {
  return plan === 'here' || (plan === 'unknown' && abandoned);
}

export const withoutJobKnown: KnownJob = { key: WITHOUT_JOB, issuedAt: null, plan: 'here' };

/** A row that an outcome names, and the try that it is of. */
export interface NamedRow {
  readonly row: number;
  /** {@link NAMED_COLUMNS}. */
  readonly raw: Raw;
  readonly attempt: number;
}

/** How an outcome ends a row, in the columns of both `rows` and `parked`. */
export interface End {
  readonly state: string;
  readonly cause: string;
  readonly reason: string | null;
  readonly error: string | null;
  readonly attempts: number | null;
  readonly at: string | null;
}

/**
 * The rows that an outcome names, by its RequestId. Another producer may use the same JobId and number its rows alike: the
 * Identifier must fit, too.
 * @param byNumber the row of that number, if its file gave it no RequestId.
 * @param byName rows whose file gave them that RequestId, and of that Identifier.
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
  // Without a try in its name, an outcome is of the present one: its message's id tells which row it is of.
  return byName(name, identifier).map((one) => ({
    row: Number(one.row),
    raw: one,
    attempt: Number(one.try),
  }));
}

/** The row that the outcome is of; undefined: it is of none of them. */
export function ownRow(rows: readonly NamedRow[], outcome: Outcome, job: KnownJob): NamedRow | undefined {
  return ofMessage(rows, outcome) ?? rows.find((one) => hasValues(one, outcome, job));
}

type MessageIds = Pick<Outcome, 'MessageId' | 'OriginalMessageId'>;

/** The row in whose messages this one is, with the try that it is of. */
function ofMessage(rows: readonly NamedRow[], ids: MessageIds): NamedRow | undefined {
  const own = rows.find(({ raw }) => hasMessage(raw, ids));
  if (own === undefined || typeof own.raw.request_id !== 'string') return own;
  // Its name has no try in it: of a row that was tried again, only the last message is of the present try.
  const { state, message_ids: known } = own.raw;
  const isPresent =
    state !== 'planned' &&
    state !== 'sending' &&
    hasMessage({ message_ids: String(known).split(' ').at(-1) }, ids);
  return isPresent ? own : { ...own, attempt: 0 };
}

/**
 * Whether an outcome is of a message that this ledger sent for the row. Whoever may send to the update queue can name any row, so
 * the message's id decides.
 */
function hasMessage(
  { message_ids: ids }: Raw,
  { MessageId, OriginalMessageId = MessageId }: MessageIds,
): boolean {
  const known = String(ids).split(' ');
  return known.includes(MessageId) || known.includes(OriginalMessageId);
}

/**
 * The row of a job that has just been entered that an outcome is of which was parked before, by its message's id, and how it ends it;
 * undefined: of none of them.
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
 * A process that was killed after a send never learnt the message's id: then an outcome with everything that the row's own update
 * has counts as well, if the row was ever about to be sent.
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
 * Whether an outcome of the try `attempt` ends the row. `applied` and `superseded` are final, whichever try they are of: the values
 * are in place, or newer ones are. A dead letter counts for the present try only, and of two the later.
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

/** What an outcome that ends no row is kept with, beside its end. */
export function parkedOf(outcome: Outcome, { key }: KnownJob, rows: readonly NamedRow[]) {
  return {
    job: key,
    messageId: outcome.OriginalMessageId ?? outcome.MessageId,
    name: key === WITHOUT_JOB ? outcome.MessageId : (outcome.RequestId ?? outcome.MessageId),
    row: rows[0]?.row ?? null,
    identifier: outcome.Identifier ?? null,
  };
}

/** The end that a parked outcome is, and the try that it is of. */
export function endOfParked(parked: Raw): End & { readonly attempt: number } {
  const { name, state, reason, error } = parked;
  const { name: code } =
    typeof error === 'string' ? parsed<NonNullable<RowEnd['error']>>(error) : { name: reason };
  const { attempts, at } = parked;
  return {
    ...({ state, reason, error, attempts, at } as Omit<End, 'cause'>),
    cause: causeOf(String(state), code),
    // A row with a RequestId of its own has no try in it: the message is of the present one.
    attempt: parseRequestId(String(name))?.try ?? Number.MAX_SAFE_INTEGER,
  };
}
