/** An outbox in memory, and a notice. */
import type { Notice } from '../../src/notices/notice.ts';
import type { Outbox, TargetName } from '../../src/notices/outbox.ts';

export const notice: Notice = {
  id: '0193a7c2-0000-7000-8000-000000000001',
  jobId: '2026-11-fleet',
  kind: 'aborted',
  at: '2026-11-29T07:00:00.000Z',
  state: 'aborted',
  why: '12 of 400 rows have failed, more than 2%',
  who: 'ops@bench',
  counts: { total: 1_000, planned: 560, inFlight: 40, applied: 388, superseded: 0, failed: 12, notSent: 0 },
  failedByError: [{ error: 'ValidationException', rows: 12 }],
};

export interface MemoryEntry {
  readonly key: number;
  readonly notice: Notice;
  readonly target: TargetName;
  state: 'due' | 'told';
  at: number;
  failures: number;
}

/** Stores notices like the ledger's outbox. */
export class MemoryOutbox implements Outbox {
  readonly entries: MemoryEntry[] = [];
  readonly #now: () => number;

  /** @param now epoch milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  enter(one: Notice, targets: readonly TargetName[]): void {
    for (const target of targets)
      this.entries.push({ key: this.entries.length, notice: one, target, state: 'due', at: 0, failures: 0 });
  }

  async due(targets: readonly TargetName[], max: number, hiddenUntil: number) {
    const now = this.#now();
    const due = this.entries
      .filter(({ state, at, target }) => state === 'due' && at <= now && targets.includes(target))
      .slice(0, max);
    for (const entry of due) entry.at = hiddenUntil;
    return due.map(({ key, notice: one, target, failures }) => ({ key, notice: one, target, failures }));
  }

  async told(key: number): Promise<void> {
    this.#find(key).state = 'told';
  }

  async failed(key: number, _: TargetName, nextAt: number): Promise<void> {
    const entry = this.#find(key);
    entry.failures++;
    entry.at = nextAt;
  }

  #find(key: number): MemoryEntry {
    const found = this.entries[key];
    if (found === undefined) throw new Error(`no notice ${key}`);
    return found;
  }
}
