/**
 * An outbox: sends messages to one queue until SQS confirms them.
 *
 *   gathering   parcels wait a little for others to share their request
 *   reachable   requests are sent as they fill, a few in parallel
 *   away        a request failed as a whole: all parcels are kept and tried again with backoff, one at a time
 *
 * A parcel that SQS refuses while the queue is reachable is amended, if SQS may accept less of it. Otherwise it is set
 * aside and tried again in its original form, with its own backoff. It does not delay the others.
 */

import type { Disposition } from '../../message/disposition.ts';
import { BATCH_SIZE, packRequests, partitionBatch } from '../../queue/batch.ts';
import { errorFacts, mayBeTooMuch, sqsErrorKind } from '../../queue/errors.ts';
import type { BatchFailure } from '../../queue/types.ts';
import { fullJitter } from '../../time/backoff.ts';
import { sleep } from '../../time/clock.ts';
import type { Delivery } from '../delivery.ts';
import type { OutboxOptions, Parcel } from './parcel.ts';

const defaultBackoff = { baseMs: 1_000, maxMs: 30_000 };
/** A parcel that is not accepted this many times in a row, for whatever reason, while others are, counts as refused. */
const REFUSED_AFTER = 5;

interface Entry<P> {
  readonly delivery: Delivery;
  /** Ends the `post`: with the parcel that was sent, or undefined when it was withdrawn. */
  readonly end: (sent: P | undefined) => void;
  /** Ends the `post` because of a bug in this program. */
  readonly fail: (error: unknown) => void;
  readonly whole: P;
  /** What is sent next: the whole parcel, or a reduced one after a refusal. */
  parcel: P;
  refused: { readonly at: number; readonly error: unknown } | undefined;
  /** Shares no request, because a request with it was refused as a whole and it may be the cause. */
  alone: boolean;
  /** How often the parcel was set aside. */
  failures: number;
}

/** The parcels that a queue refuses. */
export interface Refusal {
  /** The number of parcels. */
  readonly count: number;
  /** For how long, in milliseconds. */
  readonly forMs: number;
  readonly error: unknown;
}

const untried = { refused: undefined, alone: false, failures: 0 };

export class Outbox<D extends Disposition, P extends Parcel> {
  readonly #options: OutboxOptions<D, P>;
  readonly #entries = new Map<Delivery, Entry<P>>();
  /** The entries that wait for a request, in order; all others are being sent or set aside. */
  readonly #ready = new Set<Entry<P>>();
  #underWay = 0;
  #resting = false;
  #failures = 0;
  #pumpDue = false;
  /** Waiting entries do not wait for others to share their request. */
  #due = false;
  #linger: NodeJS.Timeout | undefined;
  #reachable = true;
  /** 1 after a request failed as a whole, because one parcel may be the cause. */
  #batchSize = BATCH_SIZE;
  #patient = true;

  constructor(options: OutboxOptions<D, P>) {
    this.#options = options;
  }

  get reachable(): boolean {
    return this.#reachable;
  }

  /**
   * Sends the parcel for `disposition`, repeatedly until it is confirmed.
   * @returns what was sent; undefined when it was withdrawn first. Throws or rejects only for a bug in this program.
   */
  post(delivery: Delivery, disposition: D): Promise<P | undefined> {
    if (!this.#patient && !this.#reachable) return Promise.resolve(undefined);
    const { promise, resolve, reject } = Promise.withResolvers<P | undefined>();
    const parcel = this.#options.pack(delivery, disposition);
    const entry = { delivery, end: resolve, fail: reject, whole: parcel, parcel, ...untried };
    this.#entries.set(delivery, entry);
    this.#ready.add(entry);
    if (this.#options.lingerMs === 0) this.#due = true;
    this.#pumpSoon();
    return promise;
  }

  /** Sends what is gathered, at once. */
  flush(): void {
    this.#due = true;
    this.#pump();
  }

  /** Withdraws the parcel of `delivery`, if it is still here. A parcel that is being sent may still arrive. */
  withdraw(delivery: Delivery): void {
    const entry = this.#entries.get(delivery);
    if (entry !== undefined) this.#end(entry, undefined);
  }

  /**
   * From now on no parcel waits for a queue that is away or refuses it: such parcels are withdrawn. After a shutdown,
   * the next receiver of their messages tries again.
   */
  stopWaiting(): void {
    this.#patient = false;
    for (const entry of [...this.#entries.values()]) {
      if (!this.#reachable || entry.refused !== undefined) this.#end(entry, undefined);
    }
  }

  /** Parcels that SQS refuses in every form: kept, and tried again. undefined for none. */
  get refusal(): Refusal | undefined {
    const refused = [...this.#entries.values()].flatMap((entry) => entry.refused ?? []);
    const [first] = refused;
    if (first === undefined) return undefined;
    // In the order of their posts, not of their refusals.
    const at = Math.min(...refused.map((each) => each.at));
    return { count: refused.length, forMs: this.#options.monotonic() - at, error: first.error };
  }

  /** Everything decided in the same turn shares a request. */
  #pumpSoon(): void {
    if (this.#pumpDue) return;
    this.#pumpDue = true;
    queueMicrotask(() => {
      this.#pumpDue = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#resting || this.#options.ended.aborted) return;
    while (this.#mayPost()) void this.#post(this.#nextBatch());
    if (this.#ready.size === 0) this.#due = false;
    if (this.#ready.size === 0 || this.#due) {
      clearTimeout(this.#linger);
      this.#linger = undefined;
    } else {
      this.#linger ??= setTimeout(() => this.flush(), this.#options.lingerMs);
    }
    // With nothing left to send, nothing can show the queue's state: the next parcel will.
    if (this.#entries.size === 0) this.#setReachable(true);
  }

  #mayPost(): boolean {
    const waiting = this.#ready.size;
    return waiting > 0 && this.#underWay < this.#width() && (this.#due || waiting >= this.#batchSize);
  }

  /** One request at a time while anything is wrong. */
  #width(): number {
    return this.#failures > 0 || this.#batchSize < BATCH_SIZE ? 1 : this.#options.parallel;
  }

  #nextBatch(): Entry<P>[] {
    const requests = packRequests(this.#ready, ({ parcel, alone }) => ({ bytes: parcel.bytes, alone }), {
      items: this.#batchSize,
    });
    const batch = requests.next().value ?? [];
    for (const entry of batch) this.#ready.delete(entry);
    return batch;
  }

  /** Never rejects: no caller waits for it. */
  async #post(batch: readonly Entry<P>[]): Promise<void> {
    this.#underWay++;
    const reached = await this.#send(batch).catch((bug: unknown) => {
      for (const entry of batch) this.#fail(entry, bug);
      return true;
    });
    this.#underWay--;
    if (reached) this.#failures = 0;
    // Other requests under way fail for the same reason: one rest is enough.
    else if (!this.#resting) await this.#rest();
    this.#pump();
  }

  async #rest(): Promise<void> {
    const { ended } = this.#options;
    this.#resting = true;
    await sleep(this.#backoffMs(++this.#failures), ended);
    this.#resting = false;
  }

  #backoffMs(failures: number): number {
    const { backoff = defaultBackoff, random } = this.#options;
    return fullJitter(backoff, failures, random);
  }

  /** Makes one request. @returns false when the queue is away. */
  async #send(batch: readonly Entry<P>[]): Promise<boolean> {
    let failures: BatchFailure[];
    try {
      failures = await this.#options.send(batch.map(({ parcel }) => parcel.message));
    } catch (error) {
      // The queue answered: it is not away.
      if (sqsErrorKind(error) === 'parcel') {
        this.#setReachable(true);
        this.#separate(batch, error);
        return true;
      }
      this.#batchSize = 1;
      for (const entry of batch) this.#again(entry);
      this.#options.onFailed?.(batch.length, error);
      this.#setReachable(false, error);
      return false;
    }
    this.#batchSize = BATCH_SIZE;
    return this.#sort(batch, failures);
  }

  /** A request was refused because of one of its parcels, which is not named: from now on each is sent alone. */
  #separate(batch: readonly Entry<P>[], error: unknown): void {
    const [only] = batch;
    for (const entry of batch) entry.alone = true;
    if (batch.length > 1 || only === undefined) for (const entry of batch) this.#again(entry);
    else this.#refused(only, errorFacts(error).name, error);
  }

  /**
   * Handles each entry of an answered request. @returns false when none was accepted, and not because of the entries.
   */
  #sort(batch: readonly Entry<P>[], failures: readonly BatchFailure[]): boolean {
    const { taken, atFault, again } = partitionBatch(batch, failures, ({ parcel }) => parcel.message.key);
    for (const entry of taken) this.#end(entry, entry.parcel);
    const reason = again[0]?.failure;
    // A parcel that failed while others were accepted shows nothing about the queue when it fails again alone.
    const away = failures.length === batch.length && again.some(({ item }) => item.failures === 0);
    for (const { item, failure } of again) {
      if (away) this.#again(item);
      else this.#keep(item, failure, item.failures + 1 >= REFUSED_AFTER);
    }
    if (again.length > 0) this.#options.onFailed?.(again.length, reason);
    this.#setReachable(!away, away ? reason : undefined);
    for (const { item, failure } of atFault) this.#refused(item, failure.code, failure);
    return !away;
  }

  /** SQS refuses this one parcel with `code`. */
  #refused(entry: Entry<P>, code: string, error: unknown): void {
    if (!this.#isHere(entry)) return;
    let less: P | undefined;
    try {
      less = mayBeTooMuch(code) ? this.#options.amend(entry.delivery, entry.parcel) : undefined;
    } catch (bug) {
      this.#fail(entry, bug);
      return;
    }
    if (less !== undefined) {
      this.#again(entry, less);
      return;
    }
    this.#keep(entry, error, true);
  }

  /** Keeps the parcel, which is tried again after its own backoff. */
  #keep(entry: Entry<P>, error: unknown, refused: boolean): void {
    void this.#setAside(entry);
    if (!refused || entry.refused !== undefined || !this.#isHere(entry)) return;
    entry.refused = { at: this.#options.monotonic(), error };
    this.#options.onRefused(entry.delivery, error);
    if (!this.#patient) this.#end(entry, undefined);
  }

  /** Tries the entry again after its own backoff. */
  async #setAside(entry: Entry<P>): Promise<void> {
    await sleep(this.#backoffMs(++entry.failures), this.#options.ended);
    this.#again(entry);
    this.#pumpSoon();
  }

  /** Ends the `post` of an entry. A parcel withdrawn during sending may have arrived: a duplicate, never a loss. */
  #end(entry: Entry<P>, sent: P | undefined): void {
    if (!this.#isHere(entry)) return;
    this.#forget(entry);
    entry.end(sent);
  }

  /** Ends the `post` of an entry because of a bug in this program. */
  #fail(entry: Entry<P>, error: unknown): void {
    if (!this.#isHere(entry)) return;
    this.#forget(entry);
    entry.fail(error);
  }

  #forget(entry: Entry<P>): void {
    this.#entries.delete(entry.delivery);
    this.#ready.delete(entry);
  }

  /** Moves the entry to the end of the line: an entry that cannot be sent must not delay the others. */
  #again(entry: Entry<P>, parcel = entry.whole): void {
    if (!this.#isHere(entry)) return;
    entry.parcel = parcel;
    this.#ready.add(entry);
    this.#due = true;
  }

  #isHere(entry: Entry<P>): boolean {
    return this.#entries.get(entry.delivery) === entry;
  }

  #setReachable(reachable: boolean, error?: unknown): void {
    if (reachable === this.#reachable) return;
    this.#reachable = reachable;
    this.#options.onReachable(reachable, error);
    if (!reachable && !this.#patient) this.stopWaiting();
  }
}
