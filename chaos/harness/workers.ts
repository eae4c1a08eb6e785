/** Worker processes, really spawned and really killed: each generation with an access key id of its own. */
import type { Child } from '../../testing/processes/child.ts';
import { type LogLine, parseLine, startOta } from '../../testing/processes/ota.ts';
import { type Life, leaseKey, type Witness } from './holds.ts';

export interface WorkerProcess {
  readonly name: string;
  readonly child: Child;
  /** Where health and metrics are, once it said so. */
  url: string | undefined;
  /** Where its inspector listens, if it was started with one. */
  inspector: string | undefined;
  /** It has written a line: it is up, and listens to signals. */
  heard: boolean;
}

export interface FleetOptions {
  /** The environment of every worker but for its access key id. */
  readonly env: Readonly<Record<string, string>>;
  readonly nodeOptions?: readonly string[];
  readonly onLine?: (worker: WorkerProcess, line: LogLine) => void;
}

/** All workers of a run, those that are gone included. */
export class Fleet implements Witness {
  readonly lives = new Map<string, Life>();
  readonly leasesLost = new Map<string, number>();
  /** How often each event was logged. */
  readonly events = new Map<string, number>();
  /** What must not be: bugs, unreadable lines, what was written to stderr. */
  readonly complaints: string[] = [];
  readonly #options: FleetOptions;
  readonly #running = new Set<WorkerProcess>();
  readonly #told = new Map<string, 'killed' | 'stopped'>();
  #number = 0;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  get running(): readonly WorkerProcess[] {
    return [...this.#running];
  }

  count(how: Life['how']): number {
    return [...this.lives.values()].filter((life) => life.how === how).length;
  }

  start(env: Readonly<Record<string, string>> = {}): WorkerProcess {
    this.#number++;
    const name = `WORKER${this.#number}`;
    const { nodeOptions = [] } = this.#options;
    const child = startOta(['worker'], {
      nodeOptions,
      env: {
        ...this.#options.env,
        ...env,
        AWS_ACCESS_KEY_ID: name,
        AWS_SECRET_ACCESS_KEY: 'not-a-secret',
      },
    });
    const worker: WorkerProcess = { name, child, url: undefined, inspector: undefined, heard: false };
    this.#running.add(worker);
    this.lives.set(name, { endedAt: undefined, how: 'running' });
    child.onLine((text, from) => {
      if (from === 'stdout') this.#onLine(worker, text);
      else this.#onStderr(worker, text);
    });
    child.process.once('exit', (code, signal) => this.#onExit(worker, code, signal));
    return worker;
  }

  /** SIGKILL. Resolves when it is gone. */
  async kill(worker: WorkerProcess): Promise<void> {
    await this.#end(worker, 'killed', 'SIGKILL');
  }

  /** SIGTERM. Resolves when it has drained and gone. */
  async stop(worker: WorkerProcess): Promise<void> {
    await this.#end(worker, 'stopped', 'SIGTERM');
  }

  async #end(worker: WorkerProcess, how: 'killed' | 'stopped', signal: NodeJS.Signals): Promise<void> {
    if (!this.#running.has(worker)) return;
    if (how === 'killed' || !this.#told.has(worker.name)) this.#told.set(worker.name, how);
    await worker.child.end(signal);
  }

  #onExit(worker: WorkerProcess, code: number | null, signal: NodeJS.Signals | null): void {
    this.#running.delete(worker);
    const told = this.#told.get(worker.name);
    // Node ends at a SIGTERM that comes while it still loads the program; nothing is in its hands then.
    const unheard = signal === 'SIGTERM' && !worker.heard;
    const asTold = told === 'killed' || (told === 'stopped' && (code === 0 || unheard));
    this.lives.set(worker.name, { endedAt: Date.now(), how: asTold ? told : 'died' });
    if (!asTold) this.complaints.push(`${worker.name} ended by itself: ${code ?? signal}`);
  }

  #onStderr(worker: WorkerProcess, text: string): void {
    worker.inspector ??= /Debugger listening on (ws:\S+)/.exec(text)?.[1];
    if (/^(Debugger (listening|attached|ending)|For help, see)/.test(text)) return;
    this.complaints.push(`${worker.name} stderr: ${text}`);
  }

  #onLine(worker: WorkerProcess, text: string): void {
    worker.heard = true;
    const line = parseLine(text);
    if (line === undefined) {
      // The last line of one that was killed may be cut off.
      if (!this.#told.has(worker.name))
        this.complaints.push(`${worker.name} wrote no JSON: ${text.slice(0, 200)}`);
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
      this.complaints.push(`${worker.name} has a bug: ${text.slice(0, 2_000)}`);
    this.#options.onLine?.(worker, line);
  }
}
