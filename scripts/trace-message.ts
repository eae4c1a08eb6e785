/**
 * Measures what one message passes on its way through a worker: files of src/, functions, and calls into the module
 * that joins the parts. Prints a table; with `--list` also each file and function.
 *
 *   npm run trace-message [-- --list] [--root DIR] [--joining src/worker/worker.ts] [--rounds 5]
 *
 * How it counts. A worker runs in a process of its own, against the sandbox's SQS emulator and simulated API in
 * another. It is warmed up, then left idle. A round sends one message and takes V8's precise coverage (function
 * granularity, with call counts) of the time from just before the message is sent until it is settled and the worker
 * is idle again. Before it, coverage of an idle time is taken in the same way. A function counts when it ran in every
 * round, less what also ran in every idle time: so a timer that happens to fire in one round does not count.
 *
 * V8 counts each resumption of an async function after an `await` as one more call of it. Calls into the joining
 * module are therefore not read from the coverage: breakpoints on the first statement of each of its functions count
 * the calls whose caller is outside the module.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const { values: flags } = parseArgs({
  options: {
    list: { type: 'boolean', default: false },
    root: { type: 'string', default: fileURLToPath(new URL('..', import.meta.url)) },
    joining: { type: 'string', default: 'src/worker/worker.ts' },
    rounds: { type: 'string', default: '5' },
  },
});
const rounds = Number(flags.rounds);
const rootUrl = pathToFileURL(`${flags.root.replace(/\/$/, '')}/`).href;

const joiningUrl = new URL(flags.joining, rootUrl).href;

/** Node's own part of a command's environment. */
const base = { PATH: process.env.PATH ?? '', HOME: '/nonexistent' };

/** How long a worker is left alone before a round, and how long after the message is settled, in milliseconds. */
const QUIET_MS = 400;

interface Kind {
  readonly title: string;
  readonly prefix: string;
  readonly outcomes: boolean;
  /** The line of the worker's log that ends the message, or `empty` when the source queue tells. */
  readonly endsWith: 'empty' | 'deferred';
}

const kinds: readonly Kind[] = [
  { title: 'one applied message', prefix: 'task', outcomes: false, endsWith: 'empty' },
  { title: 'one dead letter, with an outcome queue', prefix: 'unknown', outcomes: true, endsWith: 'empty' },
  { title: 'one deferred message (two attempts)', prefix: 'fails', outcomes: false, endsWith: 'deferred' },
];

/** Calls by function, keyed `file name:line`. */
type Calls = ReadonlyMap<string, number>;

class Inspector {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  readonly #listeners = new Map<string, (params: never) => void>();
  #id = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(String(data)) as {
        id?: number;
        method?: string;
        params?: unknown;
        result?: unknown;
        error?: { message: string };
      };
      if (message.id === undefined) {
        this.#listeners.get(message.method ?? '')?.(message.params as never);
        return;
      }
      const answer = this.#answers.get(message.id);
      this.#answers.delete(message.id);
      if (message.error === undefined) answer?.resolve(message.result as never);
      else answer?.reject(new Error(message.error.message));
    });
  }

  static async connect(url: string): Promise<Inspector> {
    const socket = new WebSocket(url);
    await once(socket, 'open');
    return new Inspector(socket);
  }

  on(method: string, listener: (params: never) => void): void {
    this.#listeners.set(method, listener);
  }

  post<Result = unknown>(method: string, params: object = {}): Promise<Result> {
    this.#id++;
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.#answers.set(this.#id, { resolve, reject });
    this.#socket.send(JSON.stringify({ id: this.#id, method, params }));
    return promise;
  }

  close(): void {
    this.#socket.close();
  }
}

interface Running {
  readonly child: ChildProcess;
  /** The first match in what the process has printed or prints. */
  find(pattern: RegExp): Promise<RegExpExecArray>;
  /** The next line, from now on, that has this text. */
  next(text: string): Promise<void>;
}

function run(args: readonly string[], env: Readonly<Record<string, string>>): Running {
  const child = spawn(process.execPath, args, {
    cwd: flags.root,
    env: { ...base, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const lines: string[] = [];
  const watchers = new Set<(line: string) => void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      for (const watcher of watchers) watcher(line);
    });
  }
  const waitFor = <T>(look: (line: string) => T | null, past: readonly string[]): Promise<T> => {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const watcher = (line: string): void => {
      const found = look(line);
      if (found === null) return;
      watchers.delete(watcher);
      resolve(found);
    };
    watchers.add(watcher);
    for (const line of past) watcher(line);
    void exited.then((code) => reject(new Error(`a process ended with ${code}:\n${lines.join('\n')}`)));
    promise.catch(() => undefined);
    return promise;
  };
  return {
    child,
    find: (pattern) => waitFor((line) => pattern.exec(line), lines),
    next: (text) =>
      waitFor((line) => (line.includes(text) ? undefined : null) as undefined | null, []) as Promise<void>,
  };
}

interface Cloud {
  readonly env: Readonly<Record<string, string>>;
  readonly outcomeQueueUrl: string;
  readonly apiUrl: string;
  readonly token: string;
  readonly process: Running;
}

async function startCloud(): Promise<Cloud> {
  const token = 'trace';
  const sandbox = run(
    ['src/main.ts', 'sandbox', '--no-worker', '--outcomes', '--api-limit', 'unlimited', '--api-latency', '5'],
    { SANDBOX_TOKEN: token },
  );
  const value = async (name: string): Promise<string> =>
    (await sandbox.find(new RegExp(`\\b${name}=(\\S+)`)))[1] ?? '';
  const apiUrl = await value('AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS');
  return {
    env: {
      QUEUE_URL: await value('QUEUE_URL'),
      DEAD_LETTER_QUEUE_URL: await value('DEAD_LETTER_QUEUE_URL'),
      AWS_ENDPOINT_URL_SQS: await value('AWS_ENDPOINT_URL_SQS'),
      AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS: apiUrl,
      AWS_REGION: await value('AWS_REGION'),
      AWS_ACCESS_KEY_ID: 'trace',
      AWS_SECRET_ACCESS_KEY: 'trace',
      HTTP_PORT: 'off',
      RATE_LIMIT: '400',
      MAX_ATTEMPTS: '2',
      RETRY_BASE_MS: '1',
      RETRY_MAX_MS: '1',
    },
    outcomeQueueUrl: await value('OUTCOME_QUEUE_URL'),
    apiUrl,
    token,
    process: sandbox,
  };
}

class Trace {
  readonly #cloud: Cloud;
  readonly #kind: Kind;
  readonly #worker: Running;
  readonly #inspector: Inspector;
  /** Where the functions of the joining module that ever ran begin and end. */
  readonly #joiningRanges = new Map<number, number>();
  #sent = 0;

  private constructor(cloud: Cloud, kind: Kind, worker: Running, inspector: Inspector) {
    this.#cloud = cloud;
    this.#kind = kind;
    this.#worker = worker;
    this.#inspector = inspector;
  }

  static async start(cloud: Cloud, kind: Kind): Promise<Trace> {
    const worker = run(['--inspect=127.0.0.1:0', 'src/main.ts', 'worker'], {
      ...cloud.env,
      ...(kind.outcomes && { OUTCOME_QUEUE_URL: cloud.outcomeQueueUrl }),
    });
    const [, url = ''] = await worker.find(/Debugger listening on (ws:\S+)/);
    const inspector = await Inspector.connect(url);
    const trace = new Trace(cloud, kind, worker, inspector);
    await inspector.post('Profiler.enable');
    await trace.#warmUp();
    return trace;
  }

  /** Calls per function that a message makes, less those of an idle worker. */
  async calls(): Promise<Calls> {
    const idle: Calls[] = [];
    const busy: Calls[] = [];
    while (busy.length < rounds) {
      await sleep(QUIET_MS);
      idle.push(await this.#cover(() => sleep(QUIET_MS)));
      busy.push(await this.#cover(() => this.#oneMessage()));
      await this.#empty();
    }
    return subtract(least(busy), least(idle));
  }

  /** Calls of the joining module's functions by callers outside it, per function. */
  async entries(): Promise<Calls> {
    const scriptId = await this.#breakpoints();
    const found: Calls[] = [];
    const idle: Calls[] = [];
    let counts = new Map<string, number>();
    this.#inspector.on('Debugger.paused', ({ callFrames: [frame, caller] }: { callFrames: Frame[] }) => {
      if (frame !== undefined && caller?.location.scriptId !== scriptId) {
        const key = `${flags.joining} ${frame.functionName}:${frame.location.lineNumber + 1}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      void this.#inspector.post('Debugger.resume');
    });
    while (found.length < rounds) {
      await sleep(QUIET_MS);
      counts = new Map();
      await sleep(QUIET_MS);
      idle.push(new Map(counts));
      counts = new Map();
      await this.#oneMessage();
      found.push(new Map(counts));
      await this.#empty();
    }
    await this.#inspector.post('Debugger.disable');
    return subtract(least(found), least(idle));
  }

  async stop(): Promise<void> {
    this.#inspector.close();
    await kill(this.#worker.child);
  }

  /** Sets a breakpoint on the first statement of each function of the joining module; answers its script id. */
  async #breakpoints(): Promise<string> {
    const scripts = new Map<string, string>();
    this.#inspector.on('Debugger.scriptParsed', (script: { scriptId: string; url: string }) => {
      scripts.set(script.url, script.scriptId);
    });
    await this.#inspector.post('Debugger.enable');
    const scriptId = scripts.get(joiningUrl);
    if (scriptId === undefined) throw new Error(`the worker has not loaded ${flags.joining}`);
    const { scriptSource } = await this.#inspector.post<{ scriptSource: string }>(
      'Debugger.getScriptSource',
      {
        scriptId,
      },
    );
    const at = (offset: number): { scriptId: string; lineNumber: number; columnNumber: number } => {
      const before = scriptSource.slice(0, offset).split('\n');
      return { scriptId, lineNumber: before.length - 1, columnNumber: before.at(-1)?.length ?? 0 };
    };
    for (const [startOffset, endOffset] of this.#joiningRanges) {
      const { locations } = await this.#inspector.post<{ locations: object[] }>(
        'Debugger.getPossibleBreakpoints',
        { start: at(startOffset), end: at(endOffset), restrictToFunction: true },
      );
      const [location] = locations;
      if (location === undefined) continue;
      await this.#inspector.post('Debugger.setBreakpoint', { location });
    }
    return scriptId;
  }

  async #cover(during: () => Promise<unknown>): Promise<Calls> {
    const coverage = { callCount: true, detailed: false, allowTriggeredUpdates: false };
    await this.#inspector.post('Profiler.startPreciseCoverage', coverage);
    await during();
    const { result } = await this.#inspector.post<Coverage>('Profiler.takePreciseCoverage');
    await this.#inspector.post('Profiler.stopPreciseCoverage');
    const src = new URL('src/', rootUrl).href;
    const calls = new Map<string, number>();
    for (const { url, functions } of result) {
      if (!url.startsWith(src)) continue;
      for (const { functionName, ranges } of functions) {
        const [range] = ranges;
        if (range === undefined || range.count === 0 || range.startOffset === 0) continue;
        const name = `${functionName || '(anonymous)'}:${lineAt(url, range.startOffset)}`;
        const key = `${url.slice(rootUrl.length)} ${name}`;
        if (url === joiningUrl) this.#joiningRanges.set(range.startOffset, range.endOffset);
        calls.set(key, (calls.get(key) ?? 0) + range.count);
      }
    }
    return calls;
  }

  /** Sends one message and waits until it is settled and the worker is idle again. */
  async #oneMessage(): Promise<void> {
    const identifier = `${this.#kind.prefix}${++this.#sent}`;
    if (this.#kind.endsWith === 'deferred') {
      const failure = { status: 500, errorType: 'InternalServerException' };
      await this.#api('PUT', `/_sandbox/script/${identifier}`, [failure, failure]);
      const deferred = this.#worker.next('"event":"deferred"');
      await this.#send(identifier);
      await deferred;
      // Short: it comes back within five seconds.
      await sleep(QUIET_MS / 4);
      return;
    }
    await this.#send(identifier);
    await this.#empty();
    await sleep(QUIET_MS);
  }

  /** Enough of its own kind, in bursts and singly, that everything is loaded and every first time is over. */
  async #warmUp(): Promise<void> {
    for (let i = 0; i < 50; i++) await this.#send(`warm${i}`);
    await this.#empty();
    for (let i = 0; i < 3; i++) {
      await this.#oneMessage();
      await this.#empty();
    }
    await sleep(2_000);
  }

  async #send(identifier: string): Promise<void> {
    const body = JSON.stringify({ Identifier: identifier, Description: 'traced' });
    await this.#sqs('SendMessage', { MessageBody: body });
  }

  /** Resolves when the source queue holds nothing, visible or not. */
  async #empty(): Promise<void> {
    for (;;) {
      const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'];
      const { Attributes } = await this.#sqs<{ Attributes: Record<string, string> }>('GetQueueAttributes', {
        AttributeNames: names,
      });
      if (names.every((name) => Attributes[name] === '0')) return;
      await sleep(20);
    }
  }

  async #sqs<Result>(action: string, input: object): Promise<Result> {
    const { env } = this.#cloud;
    const response = await fetch(env.AWS_ENDPOINT_URL_SQS ?? '', {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `AmazonSQS.${action}`,
        authorization: `AWS4-HMAC-SHA256 Credential=trace/20260101/${env.AWS_REGION}/sqs/aws4_request`,
      },
      body: JSON.stringify({ QueueUrl: env.QUEUE_URL, ...input }),
    });
    if (!response.ok) throw new Error(`${action}: ${await response.text()}`);
    return (await response.json()) as Result;
  }

  async #api(method: string, path: string, body: unknown): Promise<void> {
    const response = await fetch(`${this.#cloud.apiUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#cloud.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  }
}

interface Frame {
  readonly functionName: string;
  readonly location: { readonly scriptId: string; readonly lineNumber: number };
}

interface Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly functionName: string;
      readonly ranges: readonly { startOffset: number; endOffset: number; count: number }[];
    }[];
  }[];
}

const sources = new Map<string, string>();

/** The line of a file, from 1, in which a function begins: type stripping leaves every character in its place. */
function lineAt(url: string, offset: number): number {
  const text = sources.get(url) ?? readFileSync(new URL(url), 'utf8');
  sources.set(url, text);
  return text.slice(0, offset).split('\n').length;
}

/** What happened in every round, as often as in the round where it happened least. */
function least(all: readonly Calls[]): Calls {
  const [first = new Map<string, number>(), ...others] = all;
  const entries = [...first].map(
    ([key, count]) => [key, Math.min(count, ...others.map((calls) => calls.get(key) ?? 0))] as const,
  );
  return new Map(entries.filter(([, count]) => count > 0));
}

function subtract(calls: Calls, idle: Calls): Calls {
  const entries = [...calls].map(([key, count]) => [key, count - (idle.get(key) ?? 0)] as const);
  return new Map(entries.filter(([, count]) => count > 0));
}

const total = (calls: Calls): number => [...calls.values()].reduce((sum, count) => sum + count, 0);

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

const out = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const cloud = await startCloud();
try {
  for (const kind of kinds) {
    const trace = await Trace.start(cloud, kind);
    const calls = await trace.calls();
    const entries = await trace.entries();
    await trace.stop();
    const files = Map.groupBy([...calls], ([key]) => key.split(' ')[0] ?? '');
    const inJoining = new Map(files.get(flags.joining) ?? []);
    out(kind.title);
    out(`  files of src/ passed          ${files.size}`);
    out(`  functions that ran            ${calls.size}`);
    out(`  calls into ${flags.joining}`);
    out(`    from outside                ${total(entries)}, of ${entries.size} functions`);
    out(`    all, resumptions included   ${total(inJoining)}, of ${inJoining.size} functions`);
    if (flags.list) {
      for (const [file, functions] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
        out(`  ${file}`);
        for (const [key, count] of functions) {
          out(`    ${String(count).padStart(4)}  ${key.slice(file.length + 1)}`);
        }
      }
      out(`  calls into ${flags.joining} from outside:`);
      for (const [key, count] of entries) {
        out(`    ${String(count).padStart(4)}  ${key.slice(flags.joining.length + 1)}`);
      }
    }
  }
} finally {
  await kill(cloud.process.child);
}
