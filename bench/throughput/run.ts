/**
 * What one worker process carries: the rate it holds, and its own CPU per update.
 *
 *   node bench/throughput/run.ts [updates] [RATE_LIMIT...]      20000, and 1500 and unlimited
 *
 * Emulator and API run in one process of their own (`sandbox --no-worker`), without limit and latency, the worker in
 * another. The rate is that of the calls the API saw, from 5% to 95% of the updates, so that neither start nor tail
 * counts. CPU is the worker's own, user and system, from /proc/<pid>/stat, from the first update seen to the last
 * message deleted; what starting costs is told apart. Linux only.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const main = join(root, 'src/main.ts');
const LOOK_EVERY_MS = 20;
const [updates = 20_000] = [process.argv[2]].filter((text) => text !== undefined).map(Number);
const rates = process.argv.length > 3 ? process.argv.slice(3) : ['1500', 'unlimited'];
const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

interface Sandbox {
  readonly child: ChildProcess;
  /** What a worker needs to use it. */
  readonly env: Readonly<Record<string, string>>;
}

interface Result {
  readonly rateLimit: string;
  readonly perSecond: number;
  readonly cpuMicrosPerUpdate: number;
  readonly startCpuMs: number;
  /** CPU per update of emulator and API: what the worker shares the machine with. */
  readonly sandboxMicrosPerUpdate: number;
  readonly seconds: number;
  readonly calls: number;
}

const children = new Set<ChildProcess>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    for (const child of children) child.kill('SIGKILL');
    process.exit(1);
  });
}

print(
  `${updates} updates, Node ${process.version}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(2)} before\n`,
);
for (const rateLimit of rates) {
  const sandbox = await startSandbox();
  try {
    fill(sandbox);
    report(await drain(sandbox, rateLimit));
  } finally {
    await end(sandbox.child, 'SIGTERM');
  }
}

async function startSandbox(): Promise<Sandbox> {
  // A limit far beyond what the machine can do, in place of `unlimited`.
  const args = ['sandbox', '--no-worker', '--api-limit', '1000000:1000000', '--api-latency', '0-0'];
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  children.add(child);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const givenUp = AbortSignal.timeout(30_000);
  while (!said.includes('Ctrl-C ends it.')) {
    await once(child.stderr, 'data', { signal: givenUp }).catch(() => {
      child.kill('SIGKILL');
      throw new Error(`the sandbox did not start: ${said}`);
    });
  }
  const env = Object.fromEntries(
    [...said.matchAll(/([A-Z_]+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
  );
  return { child, env: { PATH: process.env.PATH ?? '', ...env } };
}

function fill({ env }: Sandbox): void {
  const folder = mkdtempSync(join(tmpdir(), 'ota-updater-bench-'));
  try {
    const file = join(folder, 'updates.jsonl');
    const rows = Array.from({ length: updates }, (_, i) => ({
      Identifier: `task${i}`,
      Description: 'a bench',
    }));
    writeFileSync(file, rows.map((row) => JSON.stringify(row)).join('\n'));
    execFileSync(process.execPath, [main, 'enqueue', file], { env: { ...env }, stdio: 'ignore' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function drain({ child: sandbox, env }: Sandbox, rateLimit: string): Promise<Result> {
  const sandboxCpuMs = cpuMs(sandbox);
  const child = spawn(process.execPath, [main, 'worker'], {
    env: { ...env, RATE_LIMIT: rateLimit, RATE_ADAPTIVE: 'false', HTTP_PORT: 'off', LOG_LEVEL: 'info' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  children.add(child);
  const apiUrl = env.AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS ?? '';
  const looks: { at: number; calls: number }[] = [];
  let startCpuMs = 0;
  let applied = 0;
  while (applied < updates) {
    const stats = (await (await fetch(`${apiUrl}/_sandbox/stats`)).json()) as {
      applied: number;
      calls: number;
    };
    applied = stats.applied;
    looks.push({ at: performance.now(), calls: stats.calls });
    if (stats.calls === 0) startCpuMs = cpuMs(child);
    await sleep(LOOK_EVERY_MS);
  }
  while ((await leftOnQueue(env)) > 0) await sleep(LOOK_EVERY_MS);
  const workCpuMs = cpuMs(child) - startCpuMs;
  const sandboxMicrosPerUpdate = ((cpuMs(sandbox) - sandboxCpuMs) * 1_000) / updates;
  await end(child, 'SIGTERM');
  const begun = looks.findLast(({ calls }) => calls === 0)?.at ?? 0;
  return {
    rateLimit,
    perSecond: slope(looks),
    cpuMicrosPerUpdate: (workCpuMs * 1_000) / updates,
    startCpuMs,
    sandboxMicrosPerUpdate,
    seconds: ((looks.at(-1)?.at ?? 0) - begun) / 1_000,
    calls: looks.at(-1)?.calls ?? 0,
  };
}

/** Calls per second between 5% and 95% of the updates. */
function slope(looks: readonly { at: number; calls: number }[]): number {
  const first = looks.find(({ calls }) => calls >= updates * 0.05);
  const last = looks.findLast(({ calls }) => calls <= updates * 0.95);
  if (first === undefined || last === undefined || last.at <= first.at) return Number.NaN;
  return ((last.calls - first.calls) * 1_000) / (last.at - first.at);
}

async function leftOnQueue(env: Readonly<Record<string, string>>): Promise<number> {
  const response = await fetch(env.AWS_ENDPOINT_URL_SQS ?? '', {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'AmazonSQS.GetQueueAttributes',
      authorization:
        'AWS4-HMAC-SHA256 Credential=sandbox/20260101/eu-west-1/sqs/aws4_request, Signature=none',
    },
    body: JSON.stringify({ QueueUrl: env.QUEUE_URL, AttributeNames: ['All'] }),
  });
  const { Attributes } = (await response.json()) as { Attributes: Record<string, string> };
  return (
    Number(Attributes.ApproximateNumberOfMessages) + Number(Attributes.ApproximateNumberOfMessagesNotVisible)
  );
}

/** User and system time of a process so far. */
function cpuMs({ pid }: ChildProcess): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name, in brackets, may hold anything; user and system time are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticksPerSecond;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

function report(result: Result): void {
  const { rateLimit, perSecond, cpuMicrosPerUpdate, startCpuMs, sandboxMicrosPerUpdate, seconds, calls } =
    result;
  const limit = Number(rateLimit);
  const share = Number.isFinite(limit) ? ` (${((100 * perSecond) / limit).toFixed(1)}% of it)` : '';
  print(
    `RATE_LIMIT=${rateLimit}: ${perSecond.toFixed(0)} calls/s${share}, ${cpuMicrosPerUpdate.toFixed(0)} µs CPU per update ` +
      `(${startCpuMs.toFixed(0)} ms to start; emulators ${sandboxMicrosPerUpdate.toFixed(0)} µs), ` +
      `${calls} calls in ${seconds.toFixed(1)} s`,
  );
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
