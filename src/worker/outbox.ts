/**
 * An outbox: sends what deliveries give rise to, and tells when SQS has confirmed it.
 *
 *   gathering   parcels wait a little for others to share their request
 *   reachable   requests go out as they fill, a few side by side
 *   away        the queue refuses or is away: everything is kept and tried again with backoff, a parcel at a time
 *
 * A parcel that SQS finds fault with by itself is amended, else kept and tried again without holding up the others.
 */
import { sleep } from '../clock.ts';
import { type BackoffSettings, fullJitter } from '../message/backoff.ts';
import type { Disposition } from '../message/disposition.ts';
import type { BatchFailure, OutgoingMessage } from '../queue/types.ts';
import { Batcher } from './batcher.ts';
import type { Delivery } from './delivery.ts';

/** What is sent for one delivery. */
export interface Parcel {
  /** Its `key` is the delivery's receipt handle. */
  readonly message: OutgoingMessage;
  /** Body and attributes, as SQS counts them. */
  readonly bytes: number;
}

export interface OutboxOptions<D extends Disposition, P extends Parcel> {
  readonly send: (messages: readonly OutgoingMessage[]) => Promise<BatchFailure[]>;
  readonly pack: (delivery: Delivery, disposition: D) => P;
  /** SQS finds fault with the parcel itself: another to send in its place; undefined when nothing is left to try. */
  readonly amend: (delivery: Delivery, parcel: P) => P | undefined;
  /** Requests under way at most, while all is well. */
  readonly parallel: number;
  /** How long a parcel waits for others to share its request, in milliseconds; 0: until the end of the turn. */
  readonly lingerMs: number;
  readonly random: () => number;
  /** Aborted when the worker has stopped: nothing is tried again. */
  readonly ended: AbortSignal;
  readonly onSent: (delivery: Delivery, parcel: P) => void;
  /** SQS finds fault with a parcel, and nothing is left to amend; told once per parcel. */
  readonly onRefused: (delivery: Delivery, error: unknown) => void;
  readonly onReachable: (reachable: boolean, error?: unknown) => void;
  /** A request, or so many of its parcels, will be tried again. */
  readonly onFailed?: (count: number, error: unknown) => void;
  readonly backoff?: BackoffSettings;
}

const BATCH = 10;
/** SQS's limit for one request, in bytes. */
const MAX_REQUEST_BYTES = 1_048_576;
const defaultBackoff = { baseMs: 1_000, maxMs: 30_000 };

interface Entry<P> {
  readonly delivery: Delivery;
  readonly then: () => void;
  parcel: P;
  refused: boolean;
}

export class Outbox<D extends Disposition, P extends Parcel> {
  readonly #options: OutboxOptions<D, P>;
  readonly #entries = new Map<Delivery, Entry<P>>();
  /** Those that wait for a request, in order; the others are gathering or under way. */
  readonly #ready = new Set<Entry<P>>();
  readonly #gathering: Batcher<Entry<P>> | undefined;
  #underWay = 0;
  #resting = false;
  #failures = 0;
  #pumpDue = false;
  #reachable = true;
  /** One at a time after a request failed as a whole: one parcel may be why. */
  #batchSize = BATCH;

  constructor(options: OutboxOptions<D, P>) {
    this.#options = options;
    if (options.lingerMs > 0) {
      this.#gathering = new Batcher({
        size: BATCH,
        lingerMs: options.lingerMs,
        onBatch: (entries) => this.#makeReady(entries),
      });
    }
  }

  get reachable(): boolean {
    return this.#reachable;
  }

  /** Sends what `disposition` gives rise to, again and again until it is confirmed; then calls `then`. */
  add(delivery: Delivery, disposition: D, then: () => void): void {
    const parcel = this.#options.pack(delivery, disposition);
    const entry = { delivery, then, parcel, refused: false };
    this.#entries.set(delivery, entry);
    if (this.#gathering === undefined) this.#makeReady([entry]);
    else this.#gathering.add(entry);
  }

  /** Sends what is gathered, now. */
  flush(): void {
    this.#gathering?.flush();
  }

  /** Takes back the parcel of `delivery`, if it is still here. One already under way may arrive all the same. */
  withdraw(delivery: Delivery): Delivery[] {
    const entry = this.#entries.get(delivery);
    if (entry === undefined) return [];
    this.#entries.delete(delivery);
    this.#ready.delete(entry);
    return [delivery];
  }

  withdrawAll(): Delivery[] {
    const deliveries = [...this.#entries.keys()];
    this.#entries.clear();
    this.#ready.clear();
    return deliveries;
  }

  /** Those that SQS finds fault with whatever is amended: kept, tried again, and no reason to stop the others. */
  refused(): Delivery[] {
    return [...this.#entries.values()].filter((entry) => entry.refused).map((entry) => entry.delivery);
  }

  #makeReady(entries: readonly Entry<P>[]): void {
    for (const entry of entries) if (this.#isHere(entry)) this.#ready.add(entry);
    if (this.#pumpDue) return;
    this.#pumpDue = true;
    // What is decided in the same turn shares a request.
    queueMicrotask(() => {
      this.#pumpDue = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#resting || this.#options.ended.aborted) return;
    while (this.#ready.size > 0 && this.#underWay < this.#width()) void this.#post(this.#nextBatch());
    // With nothing left to send there is nothing to find out by: the next parcel will tell.
    if (this.#entries.size === 0) this.#setReachable(true);
  }

  /** One request at a time while anything is wrong. */
  #width(): number {
    return this.#failures > 0 || this.#batchSize < BATCH ? 1 : this.#options.parallel;
  }

  #nextBatch(): Entry<P>[] {
    const batch: Entry<P>[] = [];
    let bytes = 0;
    for (const entry of this.#ready) {
      if (batch.length === this.#batchSize) break;
      if (batch.length > 0 && bytes + entry.parcel.bytes > MAX_REQUEST_BYTES) break;
      batch.push(entry);
      bytes += entry.parcel.bytes;
    }
    for (const entry of batch) this.#ready.delete(entry);
    return batch;
  }

  async #post(batch: readonly Entry<P>[]): Promise<void> {
    this.#underWay++;
    const ok = await this.#send(batch);
    this.#underWay--;
    if (ok) this.#failures = 0;
    // Others that were under way fail for the same reason: one rest is enough.
    else if (!this.#resting) await this.#rest();
    this.#pump();
  }

  async #rest(): Promise<void> {
    const { backoff = defaultBackoff, random, ended } = this.#options;
    this.#failures++;
    this.#resting = true;
    await sleep(fullJitter(backoff, this.#failures, random), ended);
    this.#resting = false;
  }

  async #send(batch: readonly Entry<P>[]): Promise<boolean> {
    let failures: BatchFailure[];
    try {
      failures = await this.#options.send(batch.map(({ parcel }) => parcel.message));
    } catch (error) {
      this.#batchSize = 1;
      const [only] = batch;
      if (batch.length === 1 && only !== undefined && blamesParcel(error)) {
        // It was the queue that said so: it is not away.
        this.#setReachable(true);
        if (this.#amend(only)) return true;
        this.#refuse(only, error);
        return false;
      }
      for (const entry of batch) this.#again(entry);
      this.#options.onFailed?.(batch.length, error);
      this.#setReachable(false, error);
      return false;
    }
    this.#batchSize = BATCH;
    return this.#sort(batch, failures);
  }

  /** What became of each entry of a request that was answered; true when all is well. */
  #sort(batch: readonly Entry<P>[], failures: readonly BatchFailure[]): boolean {
    const failed = new Map(failures.map((failure) => [failure.key, failure]));
    const away: BatchFailure[] = [];
    let stuck = false;
    for (const entry of batch) {
      const failure = failed.get(entry.parcel.message.key);
      if (failure === undefined) {
        this.#sent(entry);
      } else if (!failure.senderFault) {
        away.push(failure);
        this.#again(entry);
      } else if (!this.#amend(entry)) {
        stuck = true;
        this.#refuse(entry, failure);
      }
    }
    const [first] = away;
    if (first !== undefined) this.#options.onFailed?.(away.length, first);
    this.#setReachable(first === undefined, first);
    return first === undefined && !stuck;
  }

  #refuse(entry: Entry<P>, error: unknown): void {
    this.#again(entry);
    if (entry.refused) return;
    entry.refused = true;
    this.#options.onRefused(entry.delivery, error);
  }

  #sent(entry: Entry<P>): void {
    // A parcel withdrawn meanwhile has arrived all the same: a duplicate, never a loss.
    if (!this.#isHere(entry)) return;
    this.#entries.delete(entry.delivery);
    this.#options.onSent(entry.delivery, entry.parcel);
    entry.then();
  }

  #amend(entry: Entry<P>): boolean {
    const amended = this.#options.amend(entry.delivery, entry.parcel);
    if (amended === undefined) return false;
    entry.parcel = amended;
    this.#again(entry);
    return true;
  }

  /** To the end: what cannot be sent must not hold up the others. */
  #again(entry: Entry<P>): void {
    if (this.#isHere(entry)) this.#ready.add(entry);
  }

  #isHere(entry: Entry<P>): boolean {
    return this.#entries.get(entry.delivery) === entry;
  }

  #setReachable(reachable: boolean, error?: unknown): void {
    if (reachable === this.#reachable) return;
    this.#reachable = reachable;
    this.#options.onReachable(reachable, error);
  }
}

/** Errors of a whole request that one parcel in it can cause. */
const parcelFaults: ReadonlySet<string> = new Set([
  'BatchRequestTooLong',
  'InvalidMessageContents',
  'InvalidParameterValue',
  'InvalidParameterCombination',
]);

function blamesParcel(error: unknown): boolean {
  return error instanceof Error && parcelFaults.has(error.name);
}
