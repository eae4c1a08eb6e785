/** What viewers of live pages cost the console, and whether anything waits for clients that do not read. */
import { type ClientRequest, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cloud } from '../../src/sandbox/cloud.ts';
import { cpuMs, peakRssMb } from '../processes/proc.ts';
import { get, headers, percentile95, withConsole } from './console.ts';
import { writeRows } from './prove-ledger.ts';

export interface ViewersOptions {
  readonly viewers: number;
  /** Clients that do not read the answers they requested. */
  readonly slow: number;
  /** Duration of each part with viewers. */
  readonly seconds: number;
  /** Duration of each part without viewers: the worker's rate is steady by then. */
  readonly aloneSeconds: number;
  /** Maximum calls per second of the worker. */
  readonly rate: number;
  readonly say: (line: string) => void;
}

export interface Part {
  readonly part: string;
  /** Updates applied per second. */
  readonly appliedPerSecond: number;
  /** The console's share of a core, and its peak memory so far in MB. */
  readonly cores: number;
  readonly peakMb: number;
  /** The fewest looks that a viewer got; and the longest time between two looks of any viewer, in seconds. */
  readonly looksAtLeast: number;
  readonly longestGapSeconds: number;
  /** Time of a page requested meanwhile, in milliseconds. */
  readonly pageP95: number;
}

const JOB = 'viewed';
/** Time between two page requests, in milliseconds. */
const PAGE_EVERY_MS = 500;

/** A viewer who reads a live page to its end. */
class Viewer {
  #sent: ClientRequest;
  #last = performance.now();
  looks = 0;
  gapMs = 0;

  constructor(url: string) {
    this.#sent = request(url, { headers: { ...headers, accept: 'text/event-stream' } }, (response) => {
      response.on('data', () => this.#see());
    });
    this.#sent.on('error', () => {});
    this.#sent.end();
  }

  begin(): void {
    this.looks = 0;
    this.gapMs = 0;
    this.#last = performance.now();
  }

  end(): number {
    return Math.max(this.gapMs, performance.now() - this.#last);
  }

  close(): void {
    this.#sent.destroy();
  }

  #see(): void {
    const now = performance.now();
    this.looks++;
    this.gapMs = Math.max(this.gapMs, now - this.#last);
    this.#last = now;
  }
}

export async function proveViewers(options: ViewersOptions): Promise<readonly Part[]> {
  const { viewers: count, slow, seconds, aloneSeconds, rate, say } = options;
  return await withConsole(rate, async ({ cloud, folder, processes, startConsole }) => {
    cloud.api.configure({ latency: { minMs: 20, maxMs: 80 } });
    writeRows(
      `${folder}/rows.csv`,
      Math.round(rate * (2 * (seconds + aloneSeconds) + 120)),
      (row) => `task${row},cfgNew`,
    );
    await processes.run('jobs', 'plan', 'rows.csv', '--job', JOB, '--out', 'plan.jsonl');
    await processes.run('jobs', 'apply', 'plan.jsonl', '--yes', '--detach');
    processes.start('worker');
    const { child, url } = await startConsole();
    while (cloud.api.stats().applied < 10 * rate) await sleep(500);
    say('the job runs');
    const live = [`${url}/live/now`, `${url}/live/jobs/${JOB}`];
    const all: Viewer[] = [];
    const stuck: ClientRequest[] = [];
    const measure = (part: string, during = seconds): Promise<Part> =>
      measured(part, { cloud, pid: child.pid, url, all, seconds: during });
    try {
      const parts = [await measure('nobody', aloneSeconds)];
      say(JSON.stringify(parts.at(-1)));
      for (let i = 0; i < count; i++) all.push(new Viewer(live[i % live.length] ?? url));
      parts.push(await measure(`${count} viewers`));
      say(JSON.stringify(parts.at(-1)));
      for (let i = 0; i < slow; i++)
        stuck.push(notReading(i % 2 === 0 ? `${url}/live/jobs/${JOB}` : `${url}/jobs/of/${JOB}/rows`));
      parts.push(await measure(`${count} viewers, ${slow} that do not read`));
      say(JSON.stringify(parts.at(-1)));
      for (const viewer of all.splice(0)) viewer.close();
      for (const one of stuck) one.destroy();
      parts.push(await measure('nobody again', aloneSeconds));
      say(JSON.stringify(parts.at(-1)));
      return parts;
    } finally {
      for (const viewer of all) viewer.close();
      for (const one of stuck) one.destroy();
    }
  });
}

/** Sends a request, and does not read the answer. */
function notReading(url: string): ClientRequest {
  const sent = request(url, { headers }, (response) => response.pause());
  sent.on('error', () => {});
  sent.on('socket', (socket) => socket.pause());
  sent.end();
  return sent;
}

interface Measured {
  readonly cloud: Cloud;
  /** Process id of the console. */
  readonly pid: number;
  readonly url: string;
  readonly all: readonly Viewer[];
  readonly seconds: number;
}

async function measured(part: string, { cloud, pid, url, all, seconds }: Measured): Promise<Part> {
  // Connections that were just opened are set up first.
  await sleep(2_000);
  for (const viewer of all) viewer.begin();
  const [applied, cpu, startedAt] = [cloud.api.stats().applied, cpuMs(pid), performance.now()];
  const pages: number[] = [];
  while (performance.now() - startedAt < seconds * 1_000) {
    const askedAt = performance.now();
    await get(`${url}/jobs/of/${JOB}`);
    pages.push(performance.now() - askedAt);
    await sleep(PAGE_EVERY_MS);
  }
  const tookMs = performance.now() - startedAt;
  const looks = all.map((viewer) => viewer.looks);
  const gaps = all.map((viewer) => viewer.end());
  return {
    part,
    appliedPerSecond: rounded(((cloud.api.stats().applied - applied) * 1_000) / tookMs),
    cores: rounded((cpuMs(pid) - cpu) / tookMs),
    peakMb: Math.round(peakRssMb(pid)),
    looksAtLeast: looks.length === 0 ? 0 : Math.min(...looks),
    longestGapSeconds: gaps.length === 0 ? 0 : rounded(Math.max(...gaps) / 1_000),
    pageP95: Math.round(percentile95(pages)),
  };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
