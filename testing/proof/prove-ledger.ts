/**
 * The time and memory that a job of many rows takes in a ledger, step by step, for each kind of ledger.
 *
 * All steps have the same small heap. With a large heap V8 leaves garbage uncollected, the more the longer a process runs, so the
 * memory of a process says nothing about what it holds. With this heap, what is held becomes visible, and what grows with the rows
 * does not fit.
 */
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startCloud } from '../../src/sandbox/cloud.ts';
import { startPostgres } from '../postgres/server.ts';
import { Child } from '../processes/child.ts';
import { peakRssMb } from '../processes/proc.ts';
import { Processes } from './processes.ts';

const kinds = ['SQLite', 'PostgreSQL'] as const;
type Kind = (typeof kinds)[number];

/** The heap of each process, in MB, and the size of each half of its young generation. */
export const HEAP_MB = 64;
const NEW_MB = 4;
const NODE_OPTIONS = `--max-old-space-size=${HEAP_MB} --max-semi-space-size=${NEW_MB}`;

/** A kind of ledger; `none`: a step without one; `before`: the ledger of an earlier checkout, on SQLite. */
export type Contender = Kind | 'none' | 'before';

/** One step in one kind of ledger. */
export interface Taken {
  readonly step: string;
  readonly kind: Contender;
  readonly seconds: number;
  /** Peak memory of the process for this step, in MB. */
  readonly peakMb: number;
}

export interface LedgerProof {
  readonly taken: readonly Taken[];
  /** Deviations from the expected result. */
  readonly faults: readonly string[];
}

const CHUNK_ROWS = 10_000;
const JOB = 'large';
const MEASURE_MS = 50;
const follower = fileURLToPath(new URL('follow-ledger.ts', import.meta.url));
const driverBefore = fileURLToPath(new URL('ledger-before.ts', import.meta.url));

export function writeRows(path: string, rows: number, lineOf: (row: number) => string): void {
  const file = openSync(path, 'w');
  writeSync(file, 'Identifier,TaskConfigurationId\n');
  for (let row = 1; row <= rows; ) {
    let chunk = '';
    for (let i = 0; i < CHUNK_ROWS && row <= rows; i++) chunk += `${lineOf(row++)}\n`;
    writeSync(file, chunk);
  }
  closeSync(file);
}

/**
 * @param say called for each step as it ends.
 * @param against a checkout from before jobs had states, for the same steps: plan, enter, follow, report.
 */
export async function proveLedger(
  rows: number,
  say: (line: string) => void,
  against?: string,
): Promise<LedgerProof> {
  const folder = mkdtempSync(join(tmpdir(), 'prove-ledger-'));
  const cloud = await startCloud({ host: '127.0.0.1', sqsPort: 0, apiPort: 0, token: 'proof', api: {} });
  const postgres = await startPostgres();
  const taken: Taken[] = [];
  const faults: string[] = [];
  const all: Processes[] = [];
  const measured = async (kind: Taken['kind'], step: string, start: () => Child): Promise<string> => {
    const startedAt = performance.now();
    const child = start();
    let peakMb = 0;
    const timer = setInterval(() => {
      try {
        // NaN for a process that has ended but is still listed.
        peakMb = Math.max(peakMb, Math.round(peakRssMb(child.pid)) || 0);
      } catch {
        // It has ended.
      }
    }, MEASURE_MS);
    const { code } = await child.exited;
    clearInterval(timer);
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    taken.push({ step, kind, seconds, peakMb });
    say(`${kind} ${step}: ${seconds} s, ${peakMb} MB`);
    // 3: some rows were refused or failed, as intended here.
    if (code !== 0 && code !== 3) faults.push(`${kind} ${step} ended with ${code}: ${child.output.stderr}`);
    return child.output.stdout;
  };
  const compare = (kind: Contender, counts: string): void => {
    const { total, ended } = JSON.parse(counts || '{}') as { total?: number; ended?: number };
    if (total !== rows || ended !== rows)
      faults.push(`${kind}: ${ended} of ${total} rows have ended, of ${rows}`);
  };
  try {
    writeRows(join(folder, 'rows.csv'), rows, (row) => `task${row},cfgNew`);
    for (const kind of kinds) {
      const STATE_DIR = join(folder, kind);
      const env =
        kind === 'SQLite'
          ? { STATE_DIR, NODE_OPTIONS }
          : { STATE_DIR, NODE_OPTIONS, LEDGER_URL: await postgres.createDatabase() };
      const processes = new Processes(cloud, folder, 1_000, env);
      all.push(processes);
      const run = (step: string, ...args: string[]) =>
        measured(kind, step, () => processes.start('jobs', ...args));
      if (kind === 'SQLite') {
        const plan = () => processes.start('jobs', 'plan', 'rows.csv', '--job', JOB, '--out', 'plan.jsonl');
        await measured('none', 'plan', plan);
      }
      await run('enter', 'apply', 'plan.jsonl', '--yes', '--detach');
      const counts = await measured(kind, 'follow', () =>
        Child.startNode([follower, JOB], { cwd: folder, env, keepOutput: true }),
      );
      await run('status', 'status', JOB, '--json');
      await run('report', 'report', JOB, '--out', `${kind}.csv`);
      await run('export', 'export', JOB, '--out', `${kind}.job`);
      compare(kind, counts);
    }
    if (against !== undefined) {
      const env = { STATE_DIR: join(folder, 'before'), NODE_OPTIONS };
      const processes = new Processes(cloud, folder, 1_000, env, ['--', join(against, 'src/main.ts')]);
      all.push(processes);
      const run = (step: string, ...args: string[]) =>
        measured('before', step, () => processes.start('jobs', ...args));
      const drive = (step: string) =>
        measured('before', step, () =>
          Child.startNode([driverBefore, against, step, 'before.jsonl'], {
            cwd: folder,
            env,
            keepOutput: true,
          }),
        );
      await run('plan', 'plan', 'rows.csv', '--job', JOB, '--out', 'before.jsonl');
      await drive('enter');
      compare('before', await drive('follow'));
      await run('report', 'report', JOB, '--out', 'before.csv');
    }
    // Each ledger imports what the other has exported.
    for (const [i, kind] of kinds.entries()) {
      const STATE_DIR = join(folder, `${kind}-other`);
      const env =
        kind === 'SQLite'
          ? { STATE_DIR, NODE_OPTIONS }
          : { STATE_DIR, NODE_OPTIONS, LEDGER_URL: await postgres.createDatabase() };
      const processes = new Processes(cloud, folder, 1_000, env);
      all.push(processes);
      const from = `${kinds[1 - i]}.job`;
      await measured(kind, 'import', () => processes.start('jobs', 'import', from));
    }
    return { taken, faults };
  } finally {
    for (const processes of all) await processes.killAll();
    await postgres.remove();
    await cloud.close();
    rmSync(folder, { recursive: true });
  }
}
