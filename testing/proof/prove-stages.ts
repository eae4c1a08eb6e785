/** The proof of stages: all updates fail from a certain one on, and the job stops before more than a stage of rows has failed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCloud } from '../../src/sandbox/cloud.ts';
import { Processes } from './processes.ts';

export interface StagesOptions {
  readonly rows: number;
  /** Rows of each stage. */
  readonly stage: number;
  /** The approximate number of the first update that fails. */
  readonly first: number;
  /** Maximum calls per second of each of two workers. */
  readonly rate: number;
}

export interface StagesProof {
  readonly first: number;
  readonly applied: number;
  readonly failed: number;
  /** Failed rows after the rule was broken. */
  readonly failedAfter: number;
  readonly exitCode: number | null;
  readonly seconds: number;
}

const SHARE = 0.02;
const LEAST = 200;

export async function proveStages({ rows, stage, first, rate }: StagesOptions): Promise<StagesProof> {
  const folder = mkdtempSync(join(tmpdir(), 'prove-stages-'));
  const cloud = await startCloud({ host: '127.0.0.1', sqsPort: 0, apiPort: 0, token: 'proof', api: {} });
  const processes = new Processes(cloud, folder, rate);
  try {
    const lines = Array.from({ length: rows }, (_, i) => `task${i + 1},new`);
    writeFileSync(join(folder, 'rows.csv'), `Identifier,TaskConfigurationId\n${lines.join('\n')}\n`);
    await processes.run('jobs', 'plan', 'rows.csv', '--job', 'proof', '--out', 'plan.jsonl');
    processes.start('worker');
    processes.start('worker');
    const startedAt = performance.now();
    const bounds = ['--stages', `+${stage}`, '--abort-when', `failed>${SHARE * 100}%/${LEAST}`, '--json'];
    const applying = processes.start('jobs', 'apply', 'plan.jsonl', '--yes', ...bounds);
    await cloud.api.waitFor(() => cloud.api.stats().applied >= first - 1);
    cloud.api.configure({ tasks: { kind: 'listed', identifiers: [] } });
    const { code } = await applying.exited;
    const { applied, failed } = JSON.parse(applying.output.stdout) as Pick<StagesProof, 'applied' | 'failed'>;
    // This many of the ended rows do not yet exceed what the rule allows.
    const allowed = Math.max(
      Math.floor((SHARE * applied) / (1 - SHARE)),
      Math.min(failed, LEAST - applied - 1),
    );
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    return {
      first,
      applied,
      failed,
      failedAfter: Math.max(0, failed - allowed - 1),
      exitCode: code,
      seconds,
    };
  } finally {
    await processes.killAll();
    await cloud.close();
    rmSync(folder, { recursive: true });
  }
}
