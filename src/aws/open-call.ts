/** Calls of an SDK client, each with a time limit, and how they are ended early: by that limit or by an abort signal. */
import { type StartTimer, systemTimer } from '../time/clock.ts';
import { CredentialsError } from './credentials.ts';
import { isAwsHost } from './endpoints.ts';
import { awsErrorKind } from './errors.ts';

/** The call was not answered to the last byte within its time limit. (The SDK's own timeouts end with the headers.) */
export class DeadlineError extends Error {
  override readonly name = 'TimeoutError';

  constructor(timeoutMs: number) {
    super(`no complete answer within ${timeoutMs} ms`);
  }
}

interface Destroyable {
  destroy(): unknown;
}

/**
 * One call. It acts as the AbortSignal for the request handlers on `node:http` and on undici, which accept anything with
 * `aborted`, `reason` and `addEventListener`: real signals take 5% of the CPU of a worker under load (bench, drain).
 */
export class OpenCall {
  aborted = false;
  /** Why it ended early. */
  reason: Error | undefined;
  /** Whether it has reached the request handler. */
  sent = false;
  /** The body of the answer, set once its headers have arrived: after that the handler on `node:http` ignores aborts. */
  body: unknown;
  #listener: (() => void) | undefined;
  readonly #onEnd: (reason: Error) => void;

  /** @param onEnd called once, when the call is ended early. */
  constructor(onEnd: (reason: Error) => void) {
    this.#onEnd = onEnd;
  }

  /** @param listener replaces an earlier one: a call is one request, and has one listener. */
  addEventListener(_: 'abort', listener: () => void): void {
    this.#listener = listener;
  }

  removeEventListener(): void {
    this.#listener = undefined;
  }

  /** Ends the call now; later calls of this method change nothing. */
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

/** The calls under way. All calls with the same signal share one listener on it. */
export class OpenCalls {
  readonly #bySignal = new WeakMap<AbortSignal, Set<OpenCall>>();
  readonly #startTimer: StartTimer;

  /** @param startTimer measures the time limits of the calls. */
  constructor(startTimer = systemTimer) {
    this.#startTimer = startTimer;
  }

  /**
   * Runs `request`, which passes the call on to its command (`attachCall`). Runs it once more if its signature was refused
   * because of this machine's clock and the SDK has taken the server's time from the refusal: nothing was done, and the SDK's own
   * second attempt is switched off with its other retries.
   * @param timeoutMs from now to the last byte of the answer.
   * @throws DeadlineError after `timeoutMs`, or CredentialsError if nothing was sent by then. An error named `AbortError` when
   * `signal` aborts: at once, even when `request` does not react. Else what `request` throws; with `sent: false` if the request
   * handler was not reached.
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
      const stopTimer = this.#startTimer(timeoutMs, () => {
        call.end(
          call.sent
            ? new DeadlineError(timeoutMs)
            : // Nothing else before the request handler can wait for something external.
              new CredentialsError(`no credentials were obtained within ${timeoutMs} ms`),
        );
      });
      const settle = (end: () => void): void => {
        stopTimer();
        calls?.delete(call);
        end();
      };
      calls?.add(call);
      const attempt = (isFirst: boolean): void => {
        request(call).then(
          (value) => settle(() => resolve(value)),
          (error: unknown) => {
            if (isFirst && !call.aborted && isClockCorrected(error)) attempt(false);
            else settle(() => reject(call.sent ? error : unsent(error)));
          },
        );
      };
      attempt(true);
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

/** Whether a request was refused for the time in its signature, and the next one will be signed with the server's time. */
function isClockCorrected(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { name, $metadata } = error as {
    name: unknown;
    $metadata?: { readonly clockSkewCorrected?: unknown };
  };
  if ($metadata?.clockSkewCorrected !== true) return false;
  // The SDK takes the name unchanged from the answer, so it may not be text.
  return typeof name === 'string' && awsErrorKind(name) === 'credentials';
}

/** The same error, marked as thrown before the request was handed to the network. */
function unsent(error: unknown): unknown {
  if (typeof error === 'object' && error !== null && Object.isExtensible(error))
    Object.defineProperty(error, 'sent', { value: false, configurable: true });
  return error;
}

function aborted(): Error {
  return Object.assign(new Error('the call was aborted'), { name: 'AbortError' });
}

/** The property of a command's input that holds its call. The SDK sends only the fields of its schema. */
const CALL = Symbol('call');

/** Lets `call` end `command`, if `prepareClient` has prepared the client that sends it. */
export function attachCall<Command extends { readonly input: object }>(
  command: Command,
  call: OpenCall,
): Command {
  const input: { [CALL]?: OpenCall } = command.input;
  input[CALL] = call;
  return command;
}

/** The request handler of an SDK client. */
export interface RequestHandler {
  handle(
    request: never,
    options: { readonly abortSignal: OpenCall },
  ): Promise<{ readonly response: { readonly body?: unknown } }>;
}

/** Middleware of an SDK client. */
export type AbortMiddleware = <Args extends { readonly input: object; readonly request?: unknown }, Answer>(
  next: (args: Args) => Promise<Answer>,
) => (args: Args) => Promise<Answer>;

/** The place in a client's middleware stack right before the request handler. */
export const NEAREST_TO_THE_WIRE = {
  step: 'deserialize',
  priority: 'low',
  name: 'abortByCall',
} as const;

/** The parts of an SDK request that are examined. */
interface Addressed {
  readonly protocol: string;
  readonly hostname: string;
}

/**
 * The variables are checked at the start; an `endpoint_url` in the shared configuration file is detected here.
 * @throws as Node does for an invalid URL: for anything that is not a host's URL over http, and for AWS over http.
 */
function assertEndpoint(protocol: string, hostname: string): void {
  const fault =
    protocol !== 'http:'
      ? 'an endpoint must be a URL with its scheme, such as http://localhost:8080'
      : isAwsHost(hostname) && `requests to ${hostname} must go over https: its endpoint begins with http://`;
  if (fault) throw Object.assign(new TypeError(fault), { code: 'ERR_INVALID_URL' });
}

/**
 * Middleware that hands a command's call to the request handler as its abort signal. It sends nothing to AWS in clear text. The
 * SDK's own way, `send(command, { abortSignal })`, resolves the middleware each time.
 */
export function abortByCall(requestHandler: RequestHandler): AbortMiddleware {
  /** The http host that was checked last: all requests of a client go to one host. */
  let plainHost: string | undefined;
  return <Args extends { readonly input: object; readonly request?: unknown }, Answer>(
    next: (args: Args) => Promise<Answer>,
  ) =>
    async (args: Args): Promise<Answer> => {
      const { [CALL]: abortSignal } = args.input as { readonly [CALL]?: OpenCall };
      if (abortSignal === undefined) return next(args);
      // Ended while waiting for something that cannot be aborted, such as credentials.
      if (abortSignal.reason !== undefined) throw abortSignal.reason;
      const { protocol, hostname } = args.request as Addressed;
      if (protocol !== 'https:' && hostname !== plainHost) {
        assertEndpoint(protocol, hostname);
        plainHost = hostname;
      }
      abortSignal.sent = true;
      const { response } = await requestHandler.handle(args.request as never, { abortSignal });
      abortSignal.body = response.body;
      // The form that the innermost handler of the stack returns; an outer one deserializes it.
      return { response } as Answer;
    };
}
