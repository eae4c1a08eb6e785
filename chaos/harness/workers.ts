/** Workers, and senders of bulk jobs, as processes, started and killed; each has its own access key id. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Child } from '../../testing/processes/child.ts';
import { stepClock, steppable } from '../../testing/processes/clock.ts';
import { type LogLine, parseLine, startOta } from '../../testing/processes/ota.ts';
import { type FleetRecord, leaseKey, type ProcessEnd } from './holds.ts';

export interface WorkerProcess {
  readonly name: string;
  readonly child: Child;
  /** The URL of health and metrics, once logged. */
  url: string | undefined;
  /** The URL of its inspector, if it was started with one. */
  inspector: string | undefined;
  /** It has written a line: it is up, and handles signals. */
  listening: boolean;
}

export interface FleetOptions {
  /** The environment of every process, without its credentials. */
  readonly env: Readonly<Record<string, string>>;
  /** The environment that gives a worker credentials with this access key id. */
  readonly credentials: (accessKeyId: string) => Readonly<Record<string, string | undefined>>;
  readonly nodeOptions?: readonly string[];
  readonly onLine?: (worker: WorkerProcess, line: LogLine) => void;
}

/** A kind of process: the prefix of its name, and what it runs. */
export interface Role {
  readonly name: string;
  readonly args: readonly string[];
  /** What it may print to stderr when it is stopped: it then need not end successfully. */
  readonly excuse?: RegExp;
}

const worker: Role = { name: 'WORKER', args: ['worker'] };
export const sender: Role = {
  name: 'SENDER',
  args: ['jobs', 'send'],
  // Its last sends cannot be recorded then, and the next process sends them again; or it has not begun.
  excuse: /^(The ledger \S+ cannot be reached|Outcomes (cannot be|are not) read)/,
};

const run = promisify(execFile);

/** All workers of a run, including those that have ended. */
export class Fleet implements FleetRecord {
  readonly ends = new Map<string, ProcessEnd>();
  readonly leasesLost = new Map<string, number>();
  /** How often each event was logged. */
  readonly events = new Map<string, number>();
  /** What must not happen: bugs, unreadable lines, output on stderr. */
  readonly unexpected: string[] = [];
  readonly #options: FleetOptions;
  readonly #running = new Set<WorkerProcess>();
  readonly #asked = new Map<string, 'killed' | 'stopped'>();
  readonly #excused = new Set<string>();
  #number = 0;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  get running(): readonly WorkerProcess[] {
    return [...this.#running];
  }

  count(how: ProcessEnd['how']): number {
    return [...this.ends.values()].filter((end) => end.how === how).length;
  }

  start(env: Readonly<Record<string, string>> = {}, role: Role = worker): WorkerProcess {
    this.#number++;
    const name = `${role.name}${this.#number}`;
    const { nodeOptions = [] } = this.#options;
    const clock = steppable();
    const child = startOta(role.args, {
      ...clock,
      nodeOptions: [...clock.nodeOptions, ...nodeOptions],
      env: {
        ...clock.env,
        ...this.#options.env,
        ...this.#options.credentials(name),
        ...env,
      },
    });
    const started: WorkerProcess = { name, child, url: undefined, inspector: undefined, listening: false };
    this.#running.add(started);
    this.ends.set(name, { endedAt: undefined, how: 'running' });
    child.onLine((text, from) => {
      if (from === 'stdout') this.#onLine(started, text);
      else this.#onStderr(started, text, role);
    });
    child.process.once('exit', (code, signal) => this.#onExit(started, code, signal));
    return started;
  }

  /** SIGKILL. Resolves when the process has ended. */
  async kill(worker: WorkerProcess): Promise<void> {
    await this.#end(worker, 'killed', 'SIGKILL');
  }

  /** SIGTERM. Resolves when the worker has drained and ended. */
  async stop(worker: WorkerProcess): Promise<void> {
    await this.#end(worker, 'stopped', 'SIGTERM');
  }

  /** Moves the wall clock of a worker by `byMs` milliseconds, unless it has ended. */
  async stepClock(worker: WorkerProcess, byMs: number): Promise<void> {
    if (worker.listening && worker.child.process.connected)
      await Promise.race([stepClock(worker.child, byMs), worker.child.exited]);
  }

  /** SIGSTOP, and SIGCONT after `ms`, unless it has ended. */
  async freeze(frozen: WorkerProcess, ms: number): Promise<void> {
    frozen.child.signal('SIGSTOP');
    await sleep(ms);
    frozen.child.signal('SIGCONT');
  }

  /** Leaves a worker its present file descriptors, and allows no others for `ms`. Linux only. */
  async starve(worker: WorkerProcess, ms: number): Promise<void> {
    const limit = async (soft: string): Promise<void> => {
      // The worker may have ended.
      await run('prlimit', ['--pid', String(worker.child.pid), `--nofile=${soft}:`]).catch(() => undefined);
    };
    // A worker that is still loading its program needs descriptors for its files.
    if (!worker.listening) return;
    await limit('10');
    await sleep(ms);
    await limit('1024');
  }

  async #end(worker: WorkerProcess, how: 'killed' | 'stopped', signal: NodeJS.Signals): Promise<void> {
    if (!this.#running.has(worker)) return;
    if (how === 'killed' || !this.#asked.has(worker.name)) this.#asked.set(worker.name, how);
    await worker.child.end(signal);
  }

  #onExit(worker: WorkerProcess, code: number | null, signal: NodeJS.Signals | null): void {
    this.#running.delete(worker);
    const asked = this.#asked.get(worker.name);
    // A SIGTERM ends Node while it is still loading the program; it holds no message then.
    const beforeListening = signal === 'SIGTERM' && !worker.listening;
    const well = code === 0 || beforeListening || this.#excused.has(worker.name);
    const asAsked = asked === 'killed' || (asked === 'stopped' && well);
    this.ends.set(worker.name, { endedAt: Date.now(), how: asAsked ? asked : 'died' });
    if (!asAsked) this.unexpected.push(`${worker.name} ended by itself: ${code ?? signal}`);
  }

  #onStderr(worker: WorkerProcess, text: string, { excuse }: Role): void {
    worker.inspector ??= /Debugger listening on (ws:\S+)/.exec(text)?.[1];
    if (/^(Debugger (listening|attached|ending)|For help, see)/.test(text)) return;
    if (excuse?.test(text) === true && this.#asked.has(worker.name)) this.#excused.add(worker.name);
    else this.unexpected.push(`${worker.name} stderr: ${text}`);
  }

  #onLine(worker: WorkerProcess, text: string): void {
    worker.listening = true;
    const line = parseLine(text);
    if (line === undefined) {
      // The last line of a killed process may be cut off.
      if (!this.#asked.has(worker.name))
        this.unexpected.push(`${worker.name} wrote no JSON: ${text.slice(0, 200)}`);
      return;
    }
    const event = String(line.event);
    this.events.set(event, (this.events.get(event) ?? 0) + 1);
    if (event === 'http.listening') worker.url = String(line.address);
    if (event === 'lease.lost') {
      const lost = {
        sender: worker.name,
        messageId: String(line.messageId),
        number: Number(line.receiveCount),
      };
      this.leasesLost.set(leaseKey(lost), Date.now());
    }
    if (line.failure === 'internal')
      this.unexpected.push(`${worker.name} has a bug: ${text.slice(0, 2_000)}`);
    this.#options.onLine?.(worker, line);
  }
}
