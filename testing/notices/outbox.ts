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
  counts: { total: 1_000, planned: 560, inFlight: 40, applied: 388, superseded: 0, failed: 12 },
  failedByError: [{ error: 'ValidationException', rows: 12 }],
};

export interface MemoryEntry {
  readonly notice: Notice;
  readonly target: TargetName;
  state: 'due' | 'told' | 'given up';
  at: number;
  failures: number;
  error: string | undefined;
}

/** As the ledger's keeps it. */
export class MemoryOutbox implements Outbox {
  readonly entries: MemoryEntry[] = [];

  enter(one: Notice, targets: readonly TargetName[]): void {
    for (const target of targets)
      this.entries.push({ notice: one, target, state: 'due', at: 0, failures: 0, error: undefined });
  }

  async due(targets: readonly TargetName[], max: number, now: number, hiddenUntil: number) {
    const due = this.entries
      .filter(({ state, at, target }) => state === 'due' && at <= now && targets.includes(target))
      .slice(0, max);
    for (const entry of due) entry.at = hiddenUntil;
    return due.map(({ notice: one, target, failures }) => ({ notice: one, target, failures }));
  }

  async told(id: string, target: TargetName): Promise<void> {
    this.#find(id, target).state = 'told';
  }

  async failed(id: string, target: TargetName, nextAt: number | undefined, error: string): Promise<void> {
    const entry = this.#find(id, target);
    entry.failures++;
    entry.error = error;
    if (nextAt === undefined) entry.state = 'given up';
    else entry.at = nextAt;
  }

  #find(id: string, target: TargetName): MemoryEntry {
    const found = this.entries.find((entry) => entry.notice.id === id && entry.target === target);
    if (found === undefined) throw new Error(`no notice ${id} for ${target}`);
    return found;
  }
}
