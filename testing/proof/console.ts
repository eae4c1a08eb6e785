/** A console in a separate process in front of a sandbox, with a ledger of many rows or a worker, for its proofs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cloud, startCloud } from '../../src/sandbox/cloud.ts';
import type { Child } from '../processes/child.ts';
import { Processes } from './processes.ts';

/** The token of an operator. */
const TOKEN = 'proof-'.padEnd(40, 'x');
export const headers = { authorization: `Bearer ${TOKEN}` } as const;

export interface ConsoleStage {
  readonly cloud: Cloud;
  readonly folder: string;
  readonly processes: Processes;
  /** Environment of the processes that the stage starts. */
  readonly env: Readonly<Record<string, string>>;
  /** Starts a console at the address of the previous one. @returns when it answers. */
  readonly startConsole: (
    ...flags: readonly string[]
  ) => Promise<{ readonly child: Child; readonly url: string }>;
}

/** Runs `work` in a new folder, and removes everything it has started. @param rate of a worker, in calls per second. */
export async function withConsole<T>(rate: number, work: (stage: ConsoleStage) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'prove-console-'));
  const cloud = await startCloud({
    host: '127.0.0.1',
    sqsPort: 0,
    apiPort: 0,
    token: 'proof',
    api: { limit: null },
  });
  const [port, health] = [await freePort(), await freePort()];
  const env = {
    CONSOLE_PORT: String(port),
    CONSOLE_TOKENS: `proof:operator:${TOKEN}`,
    HTTP_PORT: String(health),
    WORKER_URLS: `http://127.0.0.1:${health}`,
    STATE_DIR: join(folder, 'state'),
    VISIBILITY_TIMEOUT_SECONDS: '30',
  };
  const processes = new Processes(cloud, folder, rate, env);
  const startConsole: ConsoleStage['startConsole'] = async (...flags) => {
    const child = processes.start('console', ...flags);
    const url = await child.find((line) => /^The console is at (\S+)/.exec(line)?.[1]);
    return { child, url };
  };
  try {
    return await work({ cloud, folder, processes, env, startConsole });
  } finally {
    await processes.killAll();
    await cloud.close();
    rmSync(folder, { recursive: true });
  }
}

/** Requests a page or an API path. @throws Error for any status other than 200. */
export async function get(url: string, body?: object): Promise<string> {
  const answer = await fetch(url, {
    headers: { ...headers, 'content-type': 'application/json' },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify({ reason: 'a proof', ...body }) }),
  });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}: ${text.slice(0, 500)}`);
  return text;
}

/** The 95th percentile. */
export function percentile95(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(0.95 * sorted.length) - 1)] ?? Number.NaN;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
