/**
 * Stores outcomes in the ledger, a batch at a time: reads the jobs and rows that they name at once, decides here what becomes of
 * each outcome in order, and writes the results at once.
 */
import type { Outcome } from '../../../message/outcome.ts';
import { type EndResult, type ReceivedOutcome, WITHOUT_JOB } from '../ledger.ts';
import { parseRequestId } from '../row.ts';
import {
  type End,
  endOf,
  type KnownJob,
  MAX_NAMED,
  MAX_WITHOUT_JOB,
  NAMED_COLUMNS,
  type NamedRow,
  namesOfParked,
  ownOfParked,
  ownRow,
  parkedOf,
  planOf,
  rowsNamed,
  takesEnd,
  takesOutcomes,
  withoutJobKnown,
} from '../shared/matching.ts';
import type { Raw } from '../shared/records.ts';
import type { Transaction } from './database.ts';
import { type RowEnds, writeEnds } from './ends.ts';
import { selectNamed } from './row-updates.ts';
import { columnsOf, storedText } from './statement.ts';

const PAGE_PARKED = 500;

const statements = {
  parkedPage: `SELECT * FROM parked WHERE job = :job AND seq > :after ORDER BY seq LIMIT ${PAGE_PARKED}`,
  unpark: 'DELETE FROM parked WHERE seq = ANY(:seqs::bigint[])',
  addForeign: `INSERT INTO jobs (job_id, created_at, updated_at)
    SELECT id, :now::bigint, :now::bigint FROM unnest(:ids::text[]) AS n (id) ORDER BY id ON CONFLICT (job_id) DO NOTHING`,
  jobs: 'SELECT key, job_id, issued_at, digest, state FROM jobs WHERE job_id = ANY(:ids::text[]) ORDER BY key FOR NO KEY UPDATE',
  numbered: selectNamed(`job, ${NAMED_COLUMNS}`, {
    arrays: ':job::integer[], :row::bigint[]',
    names: 'job, row',
    job: 'g.job',
    where: 'request_id IS NULL',
  }),
  // Rows whose message id is unknown come first: their sender was killed.
  named: `SELECT n.job, found.* FROM unnest(:job::integer[], :name::text[], :identifier::text[]) AS n (job, name, identifier)
    CROSS JOIN LATERAL (SELECT ${NAMED_COLUMNS} FROM rows
      WHERE job = n.job AND request_id = n.name AND identifier = n.identifier
      ORDER BY message_ids <> '' LIMIT ${MAX_NAMED}) AS found`,
  park: `INSERT INTO parked (job, message_id, name, row, identifier, state, cause, reason, error, attempts, at)
    SELECT * FROM unnest(:job::integer[], :messageId::text[], :name::text[], :row::bigint[], :identifier::text[],
      :state::text[], :cause::text[], :reason::text[], :error::text[], :attempts::integer[], :at::text[])
    ON CONFLICT (job, md5(message_id)) DO UPDATE SET state = excluded.state, cause = excluded.cause,
      reason = excluded.reason, error = excluded.error, attempts = excluded.attempts, at = excluded.at
    WHERE parked.state NOT IN ('applied', 'superseded')
      AND (excluded.state <> 'dead-lettered' OR parked.at < excluded.at)`,
  touch: 'UPDATE jobs SET updated_at = :now WHERE key = ANY(:keys::integer[])',
  trimParked: `DELETE FROM parked WHERE job = ${WITHOUT_JOB}
    AND seq <= (SELECT seq FROM parked WHERE job = ${WITHOUT_JOB} ORDER BY seq DESC LIMIT 1) - ${MAX_WITHOUT_JOB}`,
} as const;

type Parked = End & ReturnType<typeof parkedOf>;

export async function storeOutcomes(
  transaction: Transaction,
  outcomes: readonly ReceivedOutcome[],
  now: number,
): Promise<EndResult> {
  const jobs = await knownJobs(transaction, outcomes, now);
  const left: ReceivedOutcome[] = [];
  const adopted = new Set<string>();
  const taken: { readonly job: KnownJob; readonly outcome: Outcome }[] = [];
  for (const received of outcomes) {
    const { outcome, abandoned = false } = received;
    const job = outcome.JobId === undefined ? withoutJobKnown : jobs.get(outcome.JobId);
    if (job === undefined || !takesOutcomes(job.plan, abandoned)) {
      left.push(received);
      continue;
    }
    if (job.plan === 'unknown' && outcome.JobId !== undefined) adopted.add(outcome.JobId);
    taken.push({ job, outcome });
  }
  const batch = new Batch(await namedRows(transaction, taken));
  for (const { job, outcome } of taken) batch.take(job, outcome);
  await batch.write(transaction);
  const keys = [...new Set(taken.map(({ job }) => job.key))];
  if (keys.length > 0) await transaction.run(statements.touch, { now, keys });
  if (keys.includes(WITHOUT_JOB)) await transaction.run(statements.trimParked);
  return { ...batch.counts, left, adopted };
}

/** Ends rows by outcomes that arrived before the job was entered. */
export async function adoptAllParked(transaction: Transaction, job: number): Promise<void> {
  for (let after = 0; ; ) {
    const page = await transaction.all(statements.parkedPage, { job, after });
    if (page.length === 0) return;
    const named = page.map((parked) => ({ job: { key: job }, outcome: namesOfParked(parked) }));
    const batch = new Batch(await namedRows(transaction, named));
    const seqs = page.filter((parked) => batch.adopt(job, parked)).map(({ seq }) => Number(seq));
    await batch.write(transaction);
    if (seqs.length > 0) await transaction.run(statements.unpark, { seqs });
    after = Number(page.at(-1)?.seq);
  }
}

/** The jobs that outcomes name, by id, locked. Missing jobs of abandoned outcomes are created. */
async function knownJobs(
  transaction: Transaction,
  outcomes: readonly ReceivedOutcome[],
  now: number,
): Promise<ReadonlyMap<string, KnownJob>> {
  const idsOf = (some: readonly ReceivedOutcome[]): string[] => [
    ...new Set(some.flatMap(({ outcome: { JobId } }) => JobId ?? [])),
  ];
  const ids = idsOf(outcomes);
  const abandoned = idsOf(outcomes.filter((one) => one.abandoned === true));
  if (ids.length === 0) return new Map();
  if (abandoned.length > 0) await transaction.run(statements.addForeign, { ids: abandoned, now });
  const found = await transaction.all(statements.jobs, { ids });
  return new Map(
    found.map((raw) => [
      String(raw.job_id),
      { key: Number(raw.key), issuedAt: raw.issued_at, plan: planOf(raw) },
    ]),
  );
}

type Names = Parameters<typeof rowsNamed>[0];

/** The rows that outcomes name: by number, or by Identifier and a RequestId from their file. */
interface Named {
  readonly byNumber: ReadonlyMap<string, Raw>;
  readonly byName: ReadonlyMap<string, readonly Raw[]>;
}

async function namedRows(
  transaction: Transaction,
  taken: readonly { readonly job: Pick<KnownJob, 'key'>; readonly outcome: Names }[],
): Promise<Named> {
  const byNumber = new Map<string, Raw>();
  const byName = new Map<string, Raw[]>();
  const named = taken.flatMap(
    ({ job: { key: job }, outcome: { RequestId: name, Identifier: identifier } }) =>
      job === WITHOUT_JOB || name === undefined
        ? []
        : [{ job, name, identifier, row: parseRequestId(name)?.Row }],
  );
  const numbers = named.filter(({ row }) => row !== undefined);
  if (numbers.length > 0) {
    const found = await transaction.all(statements.numbered, columnsOf(['job', 'row'], distinct(numbers)));
    for (const raw of found) byNumber.set(placeOf(raw.job, raw.row), raw);
  }
  const names = named.filter(
    ({ job, row, identifier }) => identifier !== undefined && !byNumber.has(placeOf(job, row)),
  );
  if (names.length > 0) {
    const columns = columnsOf(['job', 'name', 'identifier'], distinct(names));
    for (const raw of await transaction.all(statements.named, columns)) {
      const place = placeOf(raw.job, raw.request_id, raw.identifier);
      byName.set(place, [...(byName.get(place) ?? []), raw]);
    }
  }
  return { byNumber, byName };
}

/** Removes duplicates, compared by content. */
function distinct<T extends object>(records: readonly T[]): T[] {
  return [...new Map(records.map((one) => [JSON.stringify(one), one])).values()];
}

function placeOf(...parts: readonly unknown[]): string {
  return parts.join(' ');
}

/** Decides outcome by outcome, each on the basis of what the earlier ones have changed. */
class Batch {
  readonly counts = { rows: 0, nothingNew: 0, foreign: 0, unmatched: 0 };
  readonly #named: Named;
  /** How rows have ended in this batch. */
  readonly #ends = new Map<string, RowEnds>();
  readonly #parked = new Map<string, Parked>();

  constructor(named: Named) {
    this.#named = named;
  }

  take(job: KnownJob, outcome: Outcome): void {
    this.counts[this.#taken(job, outcome)]++;
  }

  #taken(job: KnownJob, outcome: Outcome): keyof Batch['counts'] {
    const { key } = job;
    const rows = this.#rowsNamed(key, key === WITHOUT_JOB ? {} : outcome);
    const own = ownRow(rows, outcome, job);
    const end = endOf(outcome);
    if (own !== undefined) return this.#endRow(key, own, end) ? 'rows' : 'nothingNew';
    this.#park({ ...end, ...parkedOf(outcome, job, rows) });
    return rows.length > 0 ? 'foreign' : 'unmatched';
  }

  /** @returns whether the parked outcome belongs to a row. */
  adopt(job: number, parked: Raw): boolean {
    const found = ownOfParked(this.#rowsNamed(job, namesOfParked(parked)), parked);
    if (found === undefined) return false;
    this.#endRow(job, found.own, found.end);
    return true;
  }

  #rowsNamed(job: number, names: Names): readonly NamedRow[] {
    const { byNumber, byName } = this.#named;
    return rowsNamed(
      names,
      (row) => this.#present(job, byNumber.get(placeOf(job, row))),
      (name, identifier) =>
        (byName.get(placeOf(job, name, identifier)) ?? []).map((raw) => this.#present(job, raw)),
    );
  }

  /** The row as the earlier outcomes have left it. */
  #present<T extends Raw | undefined>(job: number, raw: T): T | Raw {
    const end = raw && this.#ends.get(placeOf(job, raw.row));
    return end === undefined ? raw : { ...raw, state: end.state, at: end.at };
  }

  #endRow(job: number, { row, raw, attempt }: NamedRow, end: End): boolean {
    if (!takesEnd(raw, end, attempt)) return false;
    this.#ends.set(placeOf(job, row), { ...end, job, row });
    return true;
  }

  #park(parked: Parked): void {
    // As it will be stored: one statement must not store two outcomes with the same id.
    const place = placeOf(parked.job, storedText(parked.messageId));
    const known = this.#parked.get(place);
    if (known === undefined) this.#parked.set(place, parked);
    else if (takesEnd({ ...known, try: 0 }, parked, 0))
      this.#parked.set(place, { ...parked, name: known.name, row: known.row, identifier: known.identifier });
  }

  async write(transaction: Transaction): Promise<void> {
    await writeEnds(transaction, [...this.#ends.values()]);
    if (this.#parked.size === 0) return;
    const names = [
      ...(['job', 'messageId', 'name', 'row', 'identifier'] as const),
      ...(['state', 'cause', 'reason', 'error', 'attempts', 'at'] as const),
    ];
    await transaction.run(statements.park, columnsOf(names, [...this.#parked.values()]));
  }
}
