/** Observes a process from outside, through Node's built-in inspector: nothing is added to the program. */

/** A session with an inspector. Close it: an open session keeps objects in the process alive. */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #listeners = new Map<string, (params: unknown) => void>();
  readonly #gone = Promise.withResolvers<never>();
  #id = 0;

  private constructor(socket: WebSocket, url: string) {
    this.#socket = socket;
    this.#gone.promise.catch(() => undefined);
    socket.addEventListener('error', () => this.#gone.reject(new Error(`no inspector at ${url}`)));
    socket.addEventListener('close', () => this.#gone.reject(new Error('the inspector has gone')));
    socket.addEventListener('message', ({ data }) => this.#onMessage(JSON.parse(String(data)) as Incoming));
  }

  /** @param url where it listens, as Node prints it: `ws://…`. */
  static async connect(url: string): Promise<Inspector> {
    const socket = new WebSocket(url);
    const inspector = new Inspector(socket, url);
    await inspector.#unlessGone(new Promise((resolve) => socket.addEventListener('open', resolve)));
    return inspector;
  }

  /** Sends a command of the Chrome DevTools protocol and returns its result. */
  post<Result = unknown>(method: string, params: object = {}): Promise<Result> {
    this.#id++;
    const answer = Promise.withResolvers<unknown>();
    this.#answers.set(this.#id, answer);
    this.#socket.send(JSON.stringify({ id: this.#id, method, params }));
    return this.#unlessGone(answer.promise as Promise<Result>);
  }

  /** From now on calls `listener` at each event of that name, instead of an earlier listener. */
  on<Params>(event: string, listener: (params: Params) => void): void {
    this.#listeners.set(event, listener as (params: unknown) => void);
  }

  close(): void {
    this.#socket.close();
  }

  #unlessGone<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#gone.promise]);
  }

  #onMessage({ id, method, params, result, error }: Incoming): void {
    if (id === undefined) {
      this.#listeners.get(method ?? '')?.(params);
      return;
    }
    const answer = this.#answers.get(id);
    this.#answers.delete(id);
    if (error === undefined) answer?.resolve(result);
    else answer?.reject(new Error(error.message));
  }
}

interface Incoming {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** Bytes, and the number of resources of each kind that keep the event loop alive. */
export interface Sample {
  readonly heapUsed: number;
  readonly rss: number;
  readonly resources: Readonly<Record<string, number>>;
}

const EXPRESSION = `JSON.stringify({ ...process.memoryUsage(), resources: process.getActiveResourcesInfo() })`;

/**
 * Collects the garbage of a process and measures what is left, in a separate session.
 * @param url where its inspector listens: `ws://…`.
 */
export async function takeSample(url: string): Promise<Sample> {
  const inspector = await Inspector.connect(url);
  try {
    await inspector.post('HeapProfiler.collectGarbage');
    const { result } = await inspector.post<{ result: { value: string } }>('Runtime.evaluate', {
      expression: EXPRESSION,
    });
    const { heapUsed, rss, resources } = JSON.parse(result.value) as {
      heapUsed: number;
      rss: number;
      resources: string[];
    };
    return { heapUsed, rss, resources: Object.fromEntries(countOf(resources)) };
  } finally {
    inspector.close();
  }
}

function countOf(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
