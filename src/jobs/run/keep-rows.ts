/**
 * Records in the ledger the rows that `enqueue --job` sends. A page of rows is entered as `sending` before its first row is
 * sent, together with the results of earlier pages. Memory thus holds one page of rows, and a kill loses none.
 */

import { CommandError, misuse } from '../../errors.ts';
import type { GoodRow, InputRow } from '../../input/row.ts';
import type { OutgoingMessage, SendAnswer } from '../../queue/types.ts';
import { toMessage } from '../../sending/messages.ts';
import type { JobRecord } from '../ledger/job.ts';
import type { EnqueuedFile, EnteredRow, Lease, Ledger, NewFile, Sendings } from '../ledger/ledger.ts';
import { requestIdOf } from '../ledger/row.ts';
import { changeOf } from '../plan/decisions.ts';
import { toPlanRow } from '../plan/sources.ts';
import { requireHere } from '../steer/resume.ts';

/** Rows per transaction. */
const PAGE_ROWS = 500;

interface NumberedRow {
  readonly row: InputRow;
  /** Row number in its file. */
  readonly number: number;
}

interface KeptMessage extends OutgoingMessage {
  readonly row: GoodRow;
}

/**
 * Begins or continues a file under a job's name.
 * @param fifo whether the queue is a FIFO queue.
 * @throws CommandError if the name belongs to a job with a plan, or another process is sending the job.
 */
export async function keepRows(ledger: Ledger, newFile: NewFile, fifo: boolean): Promise<RowKeeper> {
  const { jobId } = newFile;
  const known = await ledger.job(jobId);
  requireOpen(known);
  // Under the lease nobody can move the job, and no file is begun without being sent. The first file creates a new job.
  let lease = known?.plan === undefined ? undefined : await leaseOf(ledger, known);
  try {
    const file = await ledger.beginFile(newFile);
    lease ??= await leaseOf(ledger, file.job);
    requireOpen(await ledger.job(jobId));
    if (!file.isWhole) {
      await lease.recover();
      // The job had ended or was stopped; now it has more rows.
      const { who, why } = newFile;
      await ledger.change(file.job.key, { event: 'retry', who, ...(why !== undefined && { why }) });
    }
    return new RowKeeper({ ledger, lease, file, digest: newFile.digest, fifo });
  } catch (error) {
    await lease?.release();
    throw error;
  }
}

/** @throws CommandError for a job that accepts no files. */
function requireOpen(job: JobRecord | undefined): void {
  if (job?.plan === undefined) return;
  const { jobId, plan } = job;
  if (!plan.enqueued) {
    throw misuse(
      `Job ${jobId} was made by \`jobs plan\`: give another --job, or --set JobId=${jobId} to send without following the rows.`,
    );
  }
  requireHere(job);
  if (plan.state.name === 'cancelled' || plan.state.towards === 'cancelled')
    throw misuse(`Job ${jobId} was cancelled: give another --job. Nothing was sent.`);
}

async function leaseOf(ledger: Ledger, { key, jobId }: JobRecord): Promise<Lease> {
  const lease = await ledger.lease(key);
  if (lease !== undefined) return lease;
  throw new CommandError(
    `Another process is sending job ${jobId}. Wait for its end, or give another --job. Nothing was sent.`,
  );
}

interface Parts {
  readonly ledger: Ledger;
  readonly lease: Lease;
  readonly file: EnqueuedFile;
  readonly digest: string;
  readonly fifo: boolean;
}

/** Methods throw LedgerError. */
class RowKeeper {
  readonly #parts: Parts;
  /** Numbers of rows that are being sent. */
  readonly #open = new Set<number>();
  #sent: { row: number; messageId: string }[] = [];
  #refused: { row: number; reason: string }[] = [];
  #sentBefore = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get sentBefore(): number {
    return this.#sentBefore;
  }

  get wasWhole(): boolean {
    return this.#parts.file.isWhole;
  }

  get lost(): AbortSignal {
    return this.#parts.lease.lost;
  }

  async *messages(rows: AsyncIterable<NumberedRow>): AsyncGenerator<KeptMessage, undefined> {
    let page: NumberedRow[] = [];
    for await (const row of rows) {
      page.push(row);
      if (page.length < PAGE_ROWS) continue;
      yield* await this.#enter(page);
      page = [];
    }
    yield* await this.#enter(page);
  }

  async #enter(page: readonly NumberedRow[]): Promise<readonly KeptMessage[]> {
    const { lease, file } = this.#parts;
    const good = page.filter((one): one is NumberedRow & { row: GoodRow } => 'update' in one.row);
    if (file.isWhole) {
      this.#sentBefore += good.length;
      return [];
    }
    await this.#settle([], 0);
    const marked = await lease.enterSending(page.map((one) => this.#entered(one)));
    this.#sentBefore += good.length - marked.size;
    const messages: KeptMessage[] = [];
    for (const { row, number } of good) {
      const Row = number + file.before;
      if (!marked.has(Row)) continue;
      this.#open.add(Row);
      messages.push(this.#message(row, Row));
    }
    return messages;
  }

  #entered({ row, number }: NumberedRow): EnteredRow {
    const { before, job, issuedAt } = this.#parts.file;
    const planned = toPlanRow(row, number + before);
    if ('LeftOut' in planned || !('update' in row)) return planned as EnteredRow;
    const { RequestId, IssuedAt = issuedAt === job.plan.issuedAt ? undefined : issuedAt } = row.update;
    return {
      ...planned,
      ...(RequestId !== undefined && { RequestId }),
      ...(IssuedAt !== undefined && { IssuedAt }),
    };
  }

  #message(row: GoodRow, Row: number): KeptMessage {
    const { file, fifo } = this.#parts;
    const { jobId } = file.job;
    const { Identifier, RequestId = requestIdOf({ Row, try: 1 }), IssuedAt = file.issuedAt } = row.update;
    const update = { Identifier, ...changeOf(row.update), JobId: jobId, RequestId, IssuedAt };
    // A continued file is the same run, so that a FIFO queue drops duplicates.
    return { row, ...toMessage(update, { key: String(Row), fifo, run: jobId }) };
  }

  sent(messages: readonly OutgoingMessage[], messageIds: SendAnswer['messageIds']): void {
    for (const { key } of messages)
      this.#sent.push({ row: this.#close(key), messageId: messageIds.get(key) ?? '' });
  }

  refused({ key }: OutgoingMessage, reason: string): void {
    this.#refused.push({ row: this.#close(key), reason });
  }

  #close(key: string): number {
    this.#open.delete(Number(key));
    return Number(key);
  }

  async #settle(untouched: Sendings['untouched'], maybeTwice: number): Promise<void> {
    const [sent, refused] = [this.#sent, this.#refused];
    this.#sent = [];
    this.#refused = [];
    await this.#parts.lease.settle({ sent, refused, untouched, maybeTwice });
  }

  /** Records the results of the last rows, and gives up the right to send the job. */
  async finish(result: {
    readonly uncertain: ReadonlySet<OutgoingMessage>;
    readonly repeated: number;
    readonly whole: boolean;
  }): Promise<void> {
    const { ledger, lease, file, digest } = this.#parts;
    for (const { key } of result.uncertain) this.#open.delete(Number(key));
    try {
      if (file.isWhole) return;
      await this.#settle([...this.#open], result.repeated);
      if (result.whole) await ledger.completeFile(file.job.key, digest);
    } finally {
      await lease.release();
    }
  }
}
