/**
 * The right to send a job's rows, as a row of `leases` that its holder renews:
 *
 *   held      renewed in time: no other process can have taken it
 *   lost      not renewed in time, or another process has it: nothing may be begun on its strength; where no other has it, it
 *             is held again once it is renewed
 *   released  given up
 *
 * When it expires is a time of the database's clock; that it may have expired, the holder knows by its own monotonic clock, from
 * when it asked for the last renewal that was granted. So no clocks are compared, and a holder that was frozen knows it at once.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../time/clock.ts';
import { LeaseLost } from '../lease-lost.ts';
import { LedgerError, LedgerOutcomeUnknown } from '../shared/error.ts';
import type { Database, Transaction } from './database.ts';
import { lockJob } from './lock.ts';

/** How long a lease lasts: so long nobody sends when its holder has died. */
const LEASE_MS = 15_000;
/** The holder takes it for lost so long before it expires: what it has begun until then ends meanwhile. */
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
  /** Says who it is to people: `user@host`. */
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
  /** Of jobs whose lease may be here, unknown to anybody: resolves when it is given up. */
  readonly #unknown = new Map<number, Promise<void>>();

  constructor(db: Database, holder: Holder) {
    this.#db = db;
    this.#holder = holder;
  }

  /**
   * @returns undefined while another process has the lease.
   * @throws LedgerError where it is not known, too: then it is given up, and nothing was done.
   */
  async take(job: number): Promise<Holding | undefined> {
    await this.#unknown.get(job);
    // Who is told so asks again: that should cost no transaction each time.
    if (await isLeased(this.#db, job)) return undefined;
    const { name: holder, clock } = this.#holder;
    const token = randomUUID();
    const asked = clock.monotonic();
    try {
      const taken = await this.#db.transaction(async (transaction) => {
        // After an import that holds the job, and so as the job is then.
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

  /** Until it has expired. Never rejects. */
  async #giveUp(job: number, token: string): Promise<void> {
    const giveUp = async (transaction: Transaction): Promise<void> => {
      // After the transaction that takes it, should that still go on.
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
  /** When the last renewal was asked for that was granted; by the monotonic clock. */
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

  /** Aborts when the lease is lost, and looks at the clock whenever it is asked for. Another one when the lease is held again. */
  get lost(): AbortSignal {
    if (!this.#released && this.#age() > LEASE_MS - MARGIN_MS) this.#lost.abort();
    return this.#lost.signal;
  }

  /**
   * Makes sure that no other process has taken it, and none does before the transaction ends; renews it when that is due.
   * @returns to be called when the transaction is committed.
   * @throws LeaseLost where another process has it.
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
      // Asked again at the next tick.
    } finally {
      this.#renewing = false;
    }
  }

  /** May be called again. */
  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    clearInterval(this.#timer);
    // Where the server is away, it expires by itself.
    await this.#db
      .transaction((transaction) => transaction.run(release, this.#of), { ms: RELEASE_MS })
      .catch(() => {});
  }
}
