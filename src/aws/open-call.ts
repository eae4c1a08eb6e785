/** One request of an SDK client under way, and what ends it early: its own time, or a word from outside. */

/** The request took longer than it was given, to the last byte of its answer: the SDK's own timeouts end with the headers. */
export class DeadlineError extends Error {
  override readonly name = 'TimeoutError';
  /** Whether the request had come as far as the request handler; else something of our own kept it, credentials as a rule. */
  readonly sent: boolean;

  constructor(timeoutMs: number, sent: boolean) {
    super(`no complete answer within ${timeoutMs} ms`);
    this.sent = sent;
  }
}

interface Destroyable {
  destroy(): unknown;
}

/**
 * Stands for an AbortSignal towards the request handlers, on `node:http` and on undici, which take anything with
 * `aborted`, `reason` and `addEventListener`.
 * A real one costs a worker under load a twentieth of its CPU (bench, drain).
 */
export class OpenCall {
  aborted = false;
  /** Why it ended early. */
  reason: Error | undefined;
  /** It has come as far as the request handler: whatever fails from here on is not our own set-up. */
  sent = false;
  /** The body of the answer once its head has come: the handler on `node:http` listens no longer then. */
  body: unknown;
  #listener: (() => void) | undefined;
  readonly #onEnd: (reason: Error) => void;

  /** @param onEnd told once, when the call is ended early. */
  constructor(onEnd: (reason: Error) => void) {
    this.#onEnd = onEnd;
  }

  /** @param listener the only one there is: a call is one request. */
  addEventListener(_: 'abort', listener: () => void): void {
    this.#listener = listener;
  }

  removeEventListener(): void {
    this.#listener = undefined;
  }

  /** Ends it now; later calls change nothing. */
  end(reason: Error): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    this.#listener?.();
    if (isDestroyable(this.body)) this.body.destroy();
    this.#onEnd(reason);
  }
}

function isDestroyable(value: unknown): value is Destroyable {
  return (
    typeof value === 'object' && value !== null && 'destroy' in value && typeof value.destroy === 'function'
  );
}

/** The calls under way, each bounded in time: one listener on a signal for all of them. */
export class OpenCalls {
  readonly #bySignal = new WeakMap<AbortSignal, Set<OpenCall>>();

  /**
   * Runs `request`, which is to let the call end it (`carry`).
   * @param timeoutMs from now to the last byte of the answer.
   * @throws DeadlineError when the time was up, an error named `AbortError` when `signal` aborted; else whatever
   * `request` throws. It ends at once in both cases, even when `request` takes no notice.
   */
  run<T>(
    timeoutMs: number,
    signal: AbortSignal | undefined,
    request: (call: OpenCall) => Promise<T>,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (signal?.aborted) {
        reject(aborted());
        return;
      }
      const calls = signal && this.#of(signal);
      const call = new OpenCall((reason) => settle(() => reject(reason)));
      const timer = setTimeout(() => {
        call.end(new DeadlineError(timeoutMs, call.sent));
      }, timeoutMs);
      const settle = (end: () => void): void => {
        clearTimeout(timer);
        calls?.delete(call);
        end();
      };
      calls?.add(call);
      request(call).then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => settle(() => reject(error)),
      );
    });
  }

  #of(signal: AbortSignal): Set<OpenCall> {
    const known = this.#bySignal.get(signal);
    if (known !== undefined) return known;
    const calls = new Set<OpenCall>();
    this.#bySignal.set(signal, calls);
    signal.addEventListener('abort', () => {
      for (const call of [...calls]) call.end(aborted());
    });
    return calls;
  }
}

function aborted(): Error {
  return Object.assign(new Error('the call was aborted'), { name: 'AbortError' });
}

/** Where a command's input carries the call it belongs to: the SDK sends the fields of its schema and no others. */
const CALL = Symbol('call');

/** Lets `call` end `command`, once `endWithTheCall` has been told of the client. */
export function carry<Command extends { readonly input: object }>(command: Command, call: OpenCall): Command {
  const input: { [CALL]?: OpenCall } = command.input;
  input[CALL] = call;
  return command;
}

type Handle = (
  request: never,
  options: { readonly abortSignal: OpenCall },
) => Promise<{ readonly response: { readonly body?: unknown } }>;

/** Where the middleware belongs in a client's stack: nearest to the wire. */
export const NEAREST_TO_THE_WIRE = {
  step: 'deserialize',
  priority: 'low',
  name: 'endWithTheCall',
} as const;

/**
 * Middleware for an SDK client: hands the call that a command carries to the request handler, as its abort signal.
 * The SDK's own way, `send(command, { abortSignal })`, resolves the middleware anew each time.
 * @param handle the client's request handler.
 */
export function endWithTheCall(handle: Handle) {
  return <Args extends { readonly input: object; readonly request?: unknown }, Answer>(
    next: (args: Args) => Promise<Answer>,
  ) =>
    async (args: Args): Promise<Answer> => {
      const { [CALL]: abortSignal } = args.input as { readonly [CALL]?: OpenCall };
      if (abortSignal === undefined) return next(args);
      // Ended while it waited for something that knows no abort: credentials, say.
      if (abortSignal.reason !== undefined) throw abortSignal.reason;
      abortSignal.sent = true;
      const { response } = await handle(args.request as never, { abortSignal });
      abortSignal.body = response.body;
      // What the innermost handler of the stack answers; deserializing is done further out.
      return { response } as Answer;
    };
}
