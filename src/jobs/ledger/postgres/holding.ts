/**
 * The right to send a job's rows, as a row of `leases` that its holder renews:
 *
 *   held      renewed in time: no other process can have taken it
 *   lost      not renewed in time, or taken by another process: begin nothing with it. If no other process has it, a renewal
 *             makes it held again
 *   released  given up
 *
 * The expiry is a time of the database's clock. The holder uses its own monotonic clock to know that the lease may have expired,
 * counting from when it requested the last renewal that was granted. Clocks are thus never compared, and a holder that was frozen
 * notices at once.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../time/clock.ts';
import { LeaseLost } from '../lease-lost.ts';
import { LedgerError, LedgerOutcomeUnknown } from '../shared/error.ts';
import type { Database, Transaction } from './database.ts';
import { lockJob } from './lock.ts';

/** How long a lease lasts. After its holder dies, nobody sends for this long. */
const LEASE_MS = 15_000;
/** The holder considers the lease lost this long before it expires, so that work already begun can end. */
const MARGIN_MS = 5_000;
const RENEW_MS = 3_000;
const TICK_MS = 1_000;
const RELEASE_MS = 2_000;

const take = `INSERT INTO leases AS l (job, token, holder, expires_at)
  VALUES (:job, :token, :holder, clock_timestamp() + :ms::bigint * interval '1 millisecond')
  ON CONFLICT (job) DO UPDATE SET token = excluded.token, holder = excluded.holder, expires_at = excluded.expires_at
    WHERE l.expires_at < clock_timestamp()`;
const renew = `UPDATE leases SET expires_at = clock_timestamp() + :ms::bigint * interval '1 millisecond'
  WHERE job = :job AND token = :token`;
const look = 'SELECT 1 AS held FROM leases WHERE job = :job AND token = :token FOR KEY SHARE';
const release = 'DELETE FROM leases WHERE job = :job AND token = :token';
export const isTaken = 'SELECT 1 AS taken FROM leases WHERE job = :job AND expires_at >= clock_timestamp()';

export interface Holder {
  /** The holder's name for people: `user@host`. */
  readonly name: string;
  readonly clock: Clock;
}

export async function isLeased(db: Database, job: number): Promise<boolean> {
  return (await db.all(isTaken, { job })).length > 0;
}

/** Leases that this process takes. */
export class Leases {
  readonly #db: Database;
  readonly #holder: Holder;
  /** Jobs whose lease may be held here without anybody knowing; the promise resolves when it is given up. */
  readonly #unknown = new Map<number, Promise<void>>();

  constructor(db: Database, holder: Holder) {
    this.#db = db;
    this.#holder = holder;
  }

  /**
   * @returns undefined while another process has the lease.
   * @throws LedgerError, also if it is unknown whether the lease was taken: it is then given up, and nothing was done.
   */
  async take(job: number): Promise<Holding | undefined> {
    await this.#unknown.get(job);
    // A caller that is refused asks again: that should not cost a transaction each time.
    if (await isLeased(this.#db, job)) return undefined;
    const { name: holder, clock } = this.#holder;
    const token = randomUUID();
    const asked = clock.monotonic();
    try {
      const taken = await this.#db.transaction(async (transaction) => {
        // Waits for an import that holds the job, and then sees the job as it left it.
        await lockJob(transaction, job);
        return await transaction.run(take, { job, token, holder, ms: LEASE_MS });
      });
      return taken === 0 ? undefined : new Holding(this.#db, job, token, clock, asked);
    } catch (error) {
      if (!(error instanceof LedgerOutcomeUnknown)) throw error;
      const givenUp = this.#giveUp(job, token).finally(() => this.#unknown.delete(job));
      this.#unknown.set(job, givenUp);
      throw new LedgerError(`${error.why}.`, error.cause);
    }
  }

  /** Keeps trying until the lease has expired. Never rejects. */
  async #giveUp(job: number, token: string): Promise<void> {
    const giveUp = async (transaction: Transaction): Promise<void> => {
      // Waits for the transaction that takes the lease, if it is still running.
      await lockJob(transaction, job);
      await transaction.run(release, { job, token });
    };
    await this.#db.transaction(giveUp, { ms: LEASE_MS }).catch(() => {});
  }
}

export class Holding {
  readonly #db: Database;
  readonly #of: { readonly job: number; readonly token: string };
  readonly #clock: Clock;
  readonly #timer: NodeJS.Timeout;
  #lost = new AbortController();
  /** When the last granted renewal was requested; by the monotonic clock. */
  #grantedAt: number;
  #renewing = false;
  #released = false;

  constructor(db: Database, job: number, token: string, clock: Clock, grantedAt: number) {
    this.#db = db;
    this.#of = { job, token };
    this.#clock = clock;
    this.#grantedAt = grantedAt;
    this.#timer = setInterval(() => void this.#tick(), TICK_MS).unref();
  }

  /** Aborts when the lease is lost; each read checks the clock. It is a new signal when the lease is held again. */
  get lost(): AbortSignal {
    if (!this.#released && this.#age() > LEASE_MS - MARGIN_MS) this.#lost.abort();
    return this.#lost.signal;
  }

  /**
   * Ensures that no other process has taken the lease, or takes it before the transaction ends; renews it when due.
   * @returns a function to call when the transaction is committed.
   * @throws LeaseLost if another process has it.
   */
  async confirm(transaction: Transaction): Promise<() => void> {
    const asked = this.#clock.monotonic();
    const due = this.#age() > RENEW_MS;
    const held = due
      ? (await transaction.run(renew, { ...this.#of, ms: LEASE_MS })) > 0
      : (await transaction.all(look, this.#of)).length > 0;
    if (!held) throw this.#taken();
    return () => {
      if (due) this.#granted(asked);
    };
  }

  #age(): number {
    return this.#clock.monotonic() - this.#grantedAt;
  }

  #granted(asked: number): void {
    this.#grantedAt = Math.max(this.#grantedAt, asked);
    if (this.#lost.signal.aborted && this.#age() <= LEASE_MS - MARGIN_MS) this.#lost = new AbortController();
  }

  #taken(): LeaseLost {
    clearInterval(this.#timer);
    const reason = new LeaseLost();
    // A signal keeps its first reason.
    if (this.#lost.signal.aborted) this.#lost = new AbortController();
    this.#lost.abort(reason);
    return reason;
  }

  async #tick(): Promise<void> {
    void this.lost;
    if (this.#renewing || this.#age() < RENEW_MS) return;
    this.#renewing = true;
    try {
      let asked = 0;
      const held = await this.#db.transaction((transaction) => {
        asked = this.#clock.monotonic();
        return transaction.run(renew, { ...this.#of, ms: LEASE_MS });
      });
      if (held > 0) this.#granted(asked);
      else if (!this.#released) this.#taken();
    } catch {
      // Retried at the next tick.
    } finally {
      this.#renewing = false;
    }
  }

  /** May be called again. */
  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    clearInterval(this.#timer);
    // If the server is away, the lease expires by itself.
    await this.#db
      .transaction((transaction) => transaction.run(release, this.#of), { ms: RELEASE_MS })
      .catch(() => {});
  }
}
