/** How long each page of the console takes with a job of many rows, over HTTP on loopback. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from '../processes/child.ts';
import { get, percentile95, withConsole } from './console.ts';
import { writeRows } from './prove-ledger.ts';

const TIMES = 50;
const JOB = 'large';
const follower = fileURLToPath(new URL('follow-ledger.ts', import.meta.url));

export interface PageTaken {
  readonly path: string;
  /** In milliseconds, including reading the body. */
  readonly p95: number;
  readonly most: number;
  readonly kB: number;
}

/** A job whose rows have all ended, one in a hundred without success; each page is requested 50 times. */
export async function provePages(rows: number, say: (line: string) => void): Promise<readonly PageTaken[]> {
  return await withConsole(1_000, async ({ folder, processes, env, startConsole }) => {
    writeRows(join(folder, 'rows.csv'), rows, (row) => `task${row},cfgNew`);
    await processes.run('jobs', 'plan', 'rows.csv', '--job', JOB, '--out', 'plan.jsonl');
    say(`a plan of ${rows} rows is made`);
    await processes.run('jobs', 'apply', 'plan.jsonl', '--yes', '--detach');
    say('it is in the ledger');
    const following = Child.startNode([follower, JOB], { cwd: folder, env, keepOutput: true });
    await following.exited;
    say(`its rows have ended: ${following.output.stdout.trim()}`);
    const { url } = await startConsole('--no-send');
    const job = `/jobs/of/${JOB}`;
    const paths = [
      '/',
      '/jobs',
      job,
      `${job}/rows`,
      `${job}/rows?after=${Math.round(rows / 2)}`,
      `${job}/rows?state=failed`,
      `${job}/rows?state=failed&after=${Math.round(rows / 2)}`,
      `${job}/rows?state=planned`,
      `${job}/rows?identifier=task${rows - 1}`,
      `${job}/rows?identifier=task99`,
      '/dead-letters',
      `/task?identifier=task${rows}`,
      '/changes',
      `/api/v1/jobs/${JOB}`,
      `/api/v1/jobs/${JOB}/rows?max=1000`,
    ];
    const taken: PageTaken[] = [];
    for (const path of paths) {
      const times: number[] = [];
      let bytes = 0;
      for (let i = 0; i < TIMES; i++) {
        const startedAt = performance.now();
        bytes = (await get(url + path)).length;
        times.push(performance.now() - startedAt);
      }
      const [p95, most] = [percentile95(times), Math.max(...times)].map(Math.round);
      taken.push({ path, p95: p95 ?? 0, most: most ?? 0, kB: Math.round(bytes / 1_000) });
      say(`${path}: ${p95} ms at the 95th percentile, ${most} ms at most`);
    }
    return taken;
  });
}
