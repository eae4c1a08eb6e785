/** What a job of many rows takes of time and memory in a ledger, step by step, in each kind of ledger. */
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startCloud } from '../../src/sandbox/cloud.ts';
import { startPostgres } from '../postgres/server.ts';
import { Child } from '../processes/child.ts';
import { peakRssMb } from '../processes/proc.ts';
import { Processes } from './processes.ts';

export const kinds = ['SQLite', 'PostgreSQL'] as const;
type Kind = (typeof kinds)[number];

/** One step in one kind of ledger. */
export interface Taken {
  readonly step: string;
  readonly kind: Kind | 'none';
  readonly seconds: number;
  /** Of the process that does it, at its peak, in MB. */
  readonly peakMb: number;
}

export interface LedgerProof {
  readonly taken: readonly Taken[];
  /** What is not as it must be. */
  readonly faults: readonly string[];
}

const CHUNK_ROWS = 10_000;
const JOB = 'large';
const MEASURE_MS = 50;
const follower = fileURLToPath(new URL('follow-ledger.ts', import.meta.url));

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

/** @param say is told of each step as it ends. */
export async function proveLedger(rows: number, say: (line: string) => void): Promise<LedgerProof> {
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
        // NaN of one that has ended and is still listed.
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
    // 3: some rows were refused, or failed, as is meant here.
    if (code !== 0 && code !== 3) faults.push(`${kind} ${step} ended with ${code}: ${child.output.stderr}`);
    return child.output.stdout;
  };
  try {
    writeRows(join(folder, 'rows.csv'), rows, (row) => `task${row},cfgNew`);
    for (const kind of kinds) {
      const STATE_DIR = join(folder, kind);
      const env =
        kind === 'SQLite' ? { STATE_DIR } : { STATE_DIR, LEDGER_URL: await postgres.createDatabase() };
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
      const { total, ended } = JSON.parse(counts || '{}') as { total?: number; ended?: number };
      if (total !== rows || ended !== rows)
        faults.push(`${kind}: ${ended} of ${total} rows have ended, of ${rows}`);
    }
    // Each enters what the other has exported.
    for (const [i, kind] of kinds.entries()) {
      const STATE_DIR = join(folder, `${kind}-other`);
      const env =
        kind === 'SQLite' ? { STATE_DIR } : { STATE_DIR, LEDGER_URL: await postgres.createDatabase() };
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
