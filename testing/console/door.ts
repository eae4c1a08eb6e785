/** Stands between a console and its ledger, for tests of slow ledgers. */
import { expect, onTestFinished } from 'vitest';
import { LedgerDoor } from '../../src/console/jobs/ledger-door.ts';
import type { Ledger } from '../../src/jobs/ledger/ledger.ts';

/** A door to a ledger that answers or not, as told; time passes only when told. @param at wall-clock time, epoch milliseconds. */
export function setDoor(at: number) {
  const sleeping: { readonly ms: number; readonly end: () => void }[] = [];
  const state = { hangs: false };
  const free = Promise.withResolvers<void>();
  const answer = async (): Promise<readonly never[]> => {
    if (state.hangs) await free.promise;
    return [];
  };
  const ledger = { close: async () => {}, audit: answer, jobs: answer } as unknown as Ledger;
  const door = new LedgerDoor({
    open: async () => ledger,
    clock: { wall: () => at, monotonic: () => 0 },
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        sleeping.push({ ms, end: resolve });
        signal.addEventListener('abort', () => resolve());
      }),
  });
  onTestFinished(() => door.close());
  const pass = async (ms: number): Promise<void> => {
    await expect.poll(() => sleeping.some((one) => one.ms === ms)).toBe(true);
    for (const one of sleeping.splice(0))
      if (one.ms === ms) one.end();
      else sleeping.push(one);
  };
  return { door, state, pass, free: free.resolve };
}
