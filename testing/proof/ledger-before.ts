/**
 * Enters a plan, or follows its job, in the ledger of an earlier checkout (8389bf0, before jobs had states), as that checkout's
 * `jobs apply` does, without queues: for comparison with this one.
 *
 *   node testing/proof/ledger-before.ts CHECKOUT enter|follow PLAN    with STATE_DIR
 */
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Ledger } from '../../src/jobs/ledger/ledger.ts';
import type { enterJob, enterRows } from '../../src/jobs/run/enter.ts';
import { systemClock } from '../../src/time/clock.ts';
import { followToTheEnd } from './follow.ts';

const [checkout = '', step = '', path = ''] = process.argv.slice(2);
const load = async <T>(file: string): Promise<T> =>
  (await import(pathToFileURL(join(resolve(checkout), file)).href)) as T;

const { openLedger } = await load<{
  openLedger: (stateDir: string, now: () => number, use: 'create') => Promise<Ledger>;
}>('src/jobs/ledger/sqlite/ledger.ts');
const { readPlan } = await load<typeof import('../../src/jobs/plan/reader.ts')>('src/jobs/plan/reader.ts');
const enter = await load<{
  // The API of the release that is compared.
  enterJob: (
    ledger: Ledger,
    plan: Awaited<ReturnType<typeof readPlan>>,
    path: string,
    who: string,
  ) => ReturnType<typeof enterJob>;
  enterRows: typeof enterRows;
}>('src/jobs/run/enter.ts');

const ledger = await openLedger(process.env.STATE_DIR ?? '', systemClock.wall, 'create');
const { signal } = new AbortController();
const plan = await readPlan(path, { cwd: process.cwd(), stdin: process.stdin, signal });
const job = await enter.enterJob(ledger, plan, resolve(path), 'proof');
if (step === 'enter') await enter.enterRows(ledger, job, plan, signal);
else process.stdout.write(`${JSON.stringify(await followToTheEnd(ledger, job))}\n`);
await plan.close();
await ledger.close();
