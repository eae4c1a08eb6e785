/**
 * An outbox: sends messages to one queue until SQS confirms them.
 *
 *   gathering   parcels wait a little for others to share their request
 *   reachable   requests are sent as they fill, a few in parallel
 *   away        a request failed as a whole: all parcels are kept and tried again with backoff, one at a time
 *
 * A parcel that SQS refuses while the queue is reachable is amended, if it may be too much, or else set aside and tried
 * again, as it was at first, with a backoff of its own. It does not delay the others.
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
/** A parcel not taken so often in a row, for whatever reason, while others are counts as refused. */
const REFUSED_AFTER = 5;

interface Entry<P> {
  readonly delivery: Delivery;
  /** Ends the `post`: with the parcel that was sent, or undefined when it was withdrawn. */
  readonly end: (sent: P | undefined) => void;
  /** Ends it for a bug of ours. */
  readonly fail: (error: unknown) => void;
  readonly whole: P;
  /** What is sent next: the whole parcel, or what is left of one that was refused just now. */
  parcel: P;
  refused: { readonly at: number; readonly error: unknown } | undefined;
  /** Shares no request: one that it was part of was refused as a whole for what may be its fault. */
  alone: boolean;
  /** Times that it was set aside. */
  failures: number;
}

/** What a queue refuses. */
export interface Refusal {
  /** Parcels. */
  readonly count: number;
  /** How long, in milliseconds. */
  readonly forMs: number;
  readonly error: unknown;
}

const untried = { refused: undefined, alone: false, failures: 0 };

export class Outbox<D extends Disposition, P extends Parcel> {
  readonly #options: OutboxOptions<D, P>;
  readonly #entries = new Map<Delivery, Entry<P>>();
  /** Those that wait for a request, in order; the others are being sent or set aside. */
  readonly #ready = new Set<Entry<P>>();
  #underWay = 0;
  #resting = false;
  #failures = 0;
  #pumpDue = false;
  /** What waits for a request waits for no others to share it. */
  #due = false;
  #linger: NodeJS.Timeout | undefined;
  #reachable = true;
  /** One at a time after a request failed as a whole: one parcel may be why. */
  #batchSize = BATCH_SIZE;
  #patient = true;

  constructor(options: OutboxOptions<D, P>) {
    this.#options = options;
  }

  get reachable(): boolean {
    return this.#reachable;
  }

  /**
   * Sends what `disposition` gives rise to, again and again until it is confirmed.
   * @returns what was sent; undefined when it was withdrawn first. Throws or rejects only for a bug of ours.
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

  /** Sends what is gathered, now. */
  flush(): void {
    this.#due = true;
    this.#pump();
  }

  /** Withdraws the parcel of `delivery`, if it is still here. One that is being sent may arrive all the same. */
  withdraw(delivery: Delivery): void {
    const entry = this.#entries.get(delivery);
    if (entry !== undefined) this.#end(entry, undefined);
  }

  /**
   * From now on no parcel waits for a queue that is away, nor for one that refuses it: such parcels are withdrawn. At
   * shutdown whoever receives their messages next tries again.
   */
  stopWaiting(): void {
    this.#patient = false;
    for (const entry of [...this.#entries.values()]) {
      if (!this.#reachable || entry.refused !== undefined) this.#end(entry, undefined);
    }
  }

  /** Parcels that SQS refuses whatever is amended: kept, and tried again. undefined for none. */
  get refusal(): Refusal | undefined {
    const refused = [...this.#entries.values()].flatMap((entry) => entry.refused ?? []);
    const [first] = refused;
    if (first === undefined) return undefined;
    // In the order of their posts, and not of their refusals.
    const at = Math.min(...refused.map((each) => each.at));
    return { count: refused.length, forMs: this.#options.monotonic() - at, error: first.error };
  }

  /** What is decided in the same turn shares a request. */
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
    // With nothing left to send there is nothing to find out by: the next parcel will tell.
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

  /** Never rejects: nobody waits for it. */
  async #post(batch: readonly Entry<P>[]): Promise<void> {
    this.#underWay++;
    const reached = await this.#send(batch).catch((bug: unknown) => {
      for (const entry of batch) this.#fail(entry, bug);
      return true;
    });
    this.#underWay--;
    if (reached) this.#failures = 0;
    // Others that were under way fail for the same reason: one rest is enough.
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

  /** One request; false when the queue is away. */
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

  /** A request was refused because of one of its parcels, which is not named: each is sent alone from now on. */
  #separate(batch: readonly Entry<P>[], error: unknown): void {
    const [only] = batch;
    for (const entry of batch) entry.alone = true;
    if (batch.length > 1 || only === undefined) for (const entry of batch) this.#again(entry);
    else this.#refused(only, errorFacts(error).name, error);
  }

  /** What became of each entry of a request that was answered; false when it took none, and not for their fault. */
  #sort(batch: readonly Entry<P>[], failures: readonly BatchFailure[]): boolean {
    const { taken, atFault, again } = partitionBatch(batch, failures, ({ parcel }) => parcel.message.key);
    for (const entry of taken) this.#end(entry, entry.parcel);
    const reason = again[0]?.failure;
    // One that failed where others were taken says nothing of the queue when it fails again by itself.
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

  /** SQS refuses this one parcel, by `code`. */
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

  /** It is kept, and tried again in its own time. */
  #keep(entry: Entry<P>, error: unknown, refused: boolean): void {
    void this.#setAside(entry);
    if (!refused || entry.refused !== undefined || !this.#isHere(entry)) return;
    entry.refused = { at: this.#options.monotonic(), error };
    this.#options.onRefused(entry.delivery, error);
    if (!this.#patient) this.#end(entry, undefined);
  }

  /** Tried again in its own time. */
  async #setAside(entry: Entry<P>): Promise<void> {
    await sleep(this.#backoffMs(++entry.failures), this.#options.ended);
    this.#again(entry);
    this.#pumpSoon();
  }

  /** Ends the `post` of an entry. A parcel withdrawn while it was sent has arrived: a duplicate, never a loss. */
  #end(entry: Entry<P>, sent: P | undefined): void {
    if (!this.#isHere(entry)) return;
    this.#forget(entry);
    entry.end(sent);
  }

  /** Ends the `post` of an entry for a bug of ours. */
  #fail(entry: Entry<P>, error: unknown): void {
    if (!this.#isHere(entry)) return;
    this.#forget(entry);
    entry.fail(error);
  }

  #forget(entry: Entry<P>): void {
    this.#entries.delete(entry.delivery);
    this.#ready.delete(entry);
  }

  /** To the end of the line: what cannot be sent must not delay the others. */
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
