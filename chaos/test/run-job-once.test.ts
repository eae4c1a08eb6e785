/**
 * A short run of a bulk job under faults: every row has a true end. `npm run chaos -- --jobs` is the long form.
 */
import { expect, test } from 'vitest';
import { HANGS_MS } from '../../testing/hangs.ts';
import { postgresInstalled } from '../../testing/postgres/server.ts';
import { runJobOnce } from '../jobs/run-job-once.ts';

test('among faults, kills and commands, every row of a job has a true end', async () => {
  const found = await runJobOnce({
    seed: 7,
    ledger: postgresInstalled() ? 'postgres' : 'sqlite',
    rows: 100,
    seconds: HANGS_MS / 4_000,
    kills: 1,
    stops: 0,
    cuts: 1,
    clockSteps: 0,
    freezes: 0,
    ledgerEnds: 1,
    steers: 2,
    workers: 1,
    apiLimit: 250,
    say: () => undefined,
  });
  const { broken, rows, withoutTrueEnd, kills, typed, sentAgain, maybeTwice } = found;
  expect(broken).toEqual([]);
  expect({ rows, withoutTrueEnd, kills }).toEqual({ rows: 100, withoutTrueEnd: 0, kills: 1 });
  expect(typed).toBeGreaterThanOrEqual(2);
  expect(maybeTwice).toBeGreaterThanOrEqual(sentAgain);
});
