/**
 * A process that we start: its output, its exit, and a way to end it. It never outlives the process that started it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ChildOptions {
  readonly cwd?: string;
  /** The whole environment of the process. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Keeps everything it prints in {@link Child.output}; otherwise lines are only seen as they come. */
  readonly keepOutput?: boolean;
  /** A file descriptor for its stdout, instead of the pipe that is read here. */
  readonly stdout?: 'pipe' | number;
  /** `inherit`: its stderr goes to ours. A number: to that file descriptor. */
  readonly stderr?: 'pipe' | 'inherit' | number;
  /** For its stdin. */
  readonly stdin?: 'pipe' | 'ignore';
  /** A channel for messages between the two processes. */
  readonly ipc?: boolean;
  /** Makes it the leader of a process group: a signal also reaches everything it started. */
  readonly group?: boolean;
}

export type Source = 'stdout' | 'stderr';
type LineListener = (line: string, from: Source) => void;

/** Maximum length of output quoted in an error. */
const QUOTED_CHARACTERS = 2_000;

const running = new Set<Child>();

/** Kills everything that is still running, at once. */
export function killAll(): void {
  for (const child of running) child.signal('SIGKILL');
}

export class Child {
  readonly process: ChildProcess;
  /** Everything it has printed so far, if kept. */
  readonly output: Record<Source, string> = { stdout: '', stderr: '' };
  /** Resolves when it has ended and its output has been read. */
  readonly exited: Promise<Exit>;
  readonly #group: boolean;
  readonly #keepOutput: boolean;
  readonly #listeners = new Set<LineListener>();
  /** The end of what it has printed so far, for errors. */
  readonly #last: Record<Source, string> = { stdout: '', stderr: '' };

  private constructor(process: ChildProcess, { group = false, keepOutput = false }: ChildOptions) {
    this.process = process;
    this.#group = group;
    this.#keepOutput = keepOutput;
    this.#read('stdout');
    this.#read('stderr');
    this.exited = once(process, 'close').then(([code, signal]): Exit => ({ code, signal }));
  }

  /** Starts a command. */
  static start(command: string, args: readonly string[], options: ChildOptions): Child {
    const {
      cwd,
      env,
      stdin = 'ignore',
      stdout = 'pipe',
      stderr = 'pipe',
      ipc = false,
      group = false,
    } = options;
    const child = new Child(
      spawn(command, args, {
        ...(cwd !== undefined && { cwd }),
        env: { ...env },
        stdio: [stdin, stdout, stderr, ...(ipc ? (['ipc'] as const) : [])],
        detached: group,
      }),
      options,
    );
    if (running.size === 0) process.once('exit', killAll);
    running.add(child);
    child.process.once('exit', () => {
      running.delete(child);
      if (running.size === 0) process.off('exit', killAll);
    });
    return child;
  }

  /** Starts Node, in the version that runs this, with these arguments. */
  static startNode(args: readonly string[], options: ChildOptions): Child {
    return Child.start(process.execPath, args, options);
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  get ended(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  /** Calls `listener` with each line from now on. */
  onLine(listener: LineListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Resolves with the first result of `look` for a line: for lines already kept, if output is kept, and for later
   * ones.
   * @throws Error if the process ends first, with the end of its output.
   */
  find<T>(look: (line: string, from: Source) => T | undefined, withinMs?: number): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const stop = this.onLine((line, from) => {
      const found = look(line, from);
      if (found !== undefined) resolve(found);
    });
    for (const from of ['stdout', 'stderr'] as const) {
      for (const line of this.output[from].split('\n').slice(0, -1)) {
        const found = look(line, from);
        if (found !== undefined) resolve(found);
      }
    }
    const fail = (what: string): void => reject(new Error(`the process ${what}:\n${this.#quote()}`));
    void this.exited.then(({ code, signal }) => fail(`ended (${code ?? signal}) without that line`));
    const timer = withinMs === undefined ? undefined : setTimeout(() => fail('has not printed it'), withinMs);
    const settled = (): void => {
      stop();
      clearTimeout(timer);
    };
    promise.then(settled, settled);
    return promise;
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.#group) {
      this.process.kill(signal);
      return;
    }
    try {
      if (this.process.pid !== undefined) process.kill(-this.process.pid, signal);
    } catch {
      // It has ended already.
    }
  }

  /** Sends the signal and resolves when the process has ended; kills it if that takes longer than `withinMs`. */
  async end(signal: NodeJS.Signals = 'SIGKILL', withinMs?: number): Promise<void> {
    if (this.ended) return;
    const gone = once(this.process, 'exit');
    this.signal(signal);
    const timer = withinMs === undefined ? undefined : setTimeout(() => this.signal('SIGKILL'), withinMs);
    await gone;
    clearTimeout(timer);
  }

  #read(from: Source): void {
    let partial = '';
    const pass = (line: string): void => {
      for (const listener of this.#listeners) listener(line, from);
    };
    this.process[from]
      ?.setEncoding('utf8')
      .on('data', (text: string) => {
        if (this.#keepOutput) this.output[from] += text;
        this.#last[from] = (this.#last[from] + text).slice(-QUOTED_CHARACTERS);
        const lines = (partial + text).split('\n');
        partial = lines.pop() ?? '';
        for (const line of lines) pass(line);
      })
      .on('end', () => {
        if (partial !== '') pass(partial);
      });
  }

  #quote(): string {
    return this.#last.stderr + this.#last.stdout;
  }
}
