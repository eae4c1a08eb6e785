/** A ledger's file that another process has locked: what changes it waits, and nothing else waits with it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import type { Ledger } from '../../../src/jobs/ledger/ledger.ts';
import { openLedgerAt, type Patience, tryLedger } from '../../../src/jobs/ledger/open.ts';
import { LedgerBusyError } from '../../../src/jobs/ledger/shared/error.ts';
import { Waiting } from '../../../src/jobs/ledger/shared/waiting.ts';
import { Database } from '../../../src/jobs/ledger/sqlite/database.ts';
import { newJob, now } from './contract.ts';
import { contentOf, steps, type Use } from './steps.ts';

/** Time passes by waiting only. */
class Locked {
  readonly folder = mkdtempSync(join(tmpdir(), 'ledger-'));
  #at = 0;
  /** Told of each wait. */
  onWait: () => void = () => {};

  constructor() {
    onTestFinished(() => rmSync(this.folder, { recursive: true }));
  }

  get waitedMs(): number {
    return this.#at;
  }

  readonly context = {
    clock: { wall: () => now, monotonic: () => this.#at },
    random: () => 0.5,
    sleep: async (ms: number) => {
      this.#at += ms;
      await new Promise((resolve) => setImmediate(resolve));
      this.onWait();
    },
    holder: 'ann@ops1',
  };

  async open(patience?: Patience): Promise<Ledger> {
    const context = { ...this.context, ...(patience && { patience }) };
    const ledger = await openLedgerAt({ stateDir: this.folder, ledgerUrl: undefined }, 'create', context);
    onTestFinished(() => ledger.close());
    return ledger;
  }

  async use(): Promise<Use> {
    const ledger = await this.open();
    const { key } = await ledger.begin(newJob);
    const lease = (await ledger.lease(key)) ?? expect.fail();
    onTestFinished(() => lease.release());
    return { ledger, lease, key };
  }

  /** @returns unlocks it. */
  lock(how: 'IMMEDIATE' | 'EXCLUSIVE' = 'IMMEDIATE'): () => void {
    const other = new DatabaseSync(join(this.folder, 'ledger.sqlite'));
    other.exec(`BEGIN ${how}`);
    const unlock = (): void => {
      if (other.isOpen) other.close();
    };
    onTestFinished(unlock);
    return unlock;
  }
}

test('each change waits for the lock, is made once then, and gives what it gives of a ledger that nobody locks', async () => {
  const sound = await new Locked().use();
  const place = new Locked();
  const locked = await place.use();
  for (const [name, step] of steps) {
    const wanted = await step(sound);
    const unlock = place.lock();
    let waits = 0;
    place.onWait = () => {
      if (++waits === 3) unlock();
    };
    expect(await step(locked), name).toEqual(wanted);
    expect(waits, name).toBeGreaterThanOrEqual(3);
  }
  expect(await contentOf(locked)).toEqual(await contentOf(sound));
});

test.each(['IMMEDIATE', 'EXCLUSIVE'] as const)('what is read waits for no lock (%s)', async (how) => {
  const place = new Locked();
  const { ledger, key } = await place.use();
  place.lock(how);
  expect(await ledger.jobs()).toHaveLength(1);
  expect(await ledger.count(key)).toMatchObject({ total: 0 });
  expect((await ledger.audit(5)).length).toBeGreaterThan(0);
  expect(await (await place.open()).jobs()).toHaveLength(1);
  expect(await tryLedger({ stateDir: place.folder, ledgerUrl: undefined }, place.context)).toMatchObject({
    fault: undefined,
  });
  expect(place.waitedMs).toBe(0);
});

test('who has no more patience is told so, and nothing was changed', async () => {
  const place = new Locked();
  const commanded = await place.open();
  const hasty = await place.open({ ms: 3_000 });
  place.lock();
  const busy = expect.objectContaining({ message: expect.stringContaining('is locked by another process') });
  const waited = async (change: Promise<unknown>): Promise<number> => {
    const from = place.waitedMs;
    const error = await change.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(LedgerBusyError);
    expect(error).toEqual(busy);
    return (place.waitedMs - from) / 1_000;
  };
  expect(await waited(hasty.begin(newJob))).toBeCloseTo(3, 0);
  expect(await waited(commanded.begin(newJob))).toBeCloseTo(20, 0);
  expect(await commanded.jobs()).toEqual([]);
});

test('a sender waits for as long as it takes, and says so once, and once when it goes on', async () => {
  const place = new Locked();
  const said: string[] = [];
  const away: unknown[] = [];
  const ledger = await place.open({
    ms: Number.POSITIVE_INFINITY,
    say: (sentence) => said.push(sentence),
    onAway: (why) => away.push(why),
  });
  const unlock = place.lock();
  place.onWait = () => {
    if (place.waitedMs > 60_000) unlock();
  };
  await Promise.all([
    ledger.begin(newJob),
    ledger.addAudit({ who: 'a', what: 'b', subject: 'c', why: 'd', detail: {} }),
  ]);
  expect(said).toEqual([
    expect.stringMatching(/^The ledger \/.*\/ledger\.sqlite is locked by another process: nothing is sent/),
    expect.stringMatching(/^The ledger \/.*\/ledger\.sqlite is free again after \d\d s$/),
  ]);
  expect(away).toEqual([expect.any(LedgerBusyError)]);
});

test('who waits when the ledger is closed is told so at once', async () => {
  const place = new Locked();
  const ledger = await place.open();
  place.lock();
  place.onWait = () => void ledger.close();
  await expect(ledger.begin(newJob)).rejects.toThrow(LedgerBusyError);
  expect(place.waitedMs).toBeLessThan(1_000);
});

test('a transaction whose COMMIT finds the file locked is undone, and done again as a whole', async () => {
  const place = new Locked();
  const path = join(place.folder, 'x.sqlite');
  const reader = new DatabaseSync(path);
  reader.exec('CREATE TABLE t (x TEXT)');
  const waiting = new Waiting(
    place.context,
    { ms: 20_000 },
    {
      what: 'The ledger x',
      backoff: { baseMs: 5, maxMs: 100 },
      tellAfterMs: 1_000,
      isAway: (error) => error instanceof LedgerBusyError,
      isLocked: () => true,
      error: (error) => error as LedgerBusyError,
      explain: (error) => error,
      sayAway: String,
      sayBack: String,
    },
  );
  const db = new Database(() => new DatabaseSync(path, { timeout: 0 }), 'The ledger x', waiting);
  onTestFinished(() => {
    db.close();
    reader.close();
  });
  // Without a write-ahead log a reader keeps a writer from its COMMIT.
  reader.exec('BEGIN; SELECT * FROM t');
  let runs = 0;
  place.onWait = () => {
    expect(db.connection.isTransaction).toBe(false);
    if (runs === 3) reader.exec('COMMIT');
  };
  await db.write(() => {
    runs++;
    db.exec(`INSERT INTO t VALUES ('${runs}')`);
  });
  expect(runs).toBe(4);
  expect(db.prepare('SELECT x FROM t').all()).toEqual([{ x: '4' }]);
});
