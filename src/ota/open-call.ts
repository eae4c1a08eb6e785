/** One request to the API under way, and what ends it early: its own time, or a word from outside. */
import { DeadlineError } from '../deadline.ts';

interface Destroyable {
  destroy(): unknown;
}

/**
 * Stands for an AbortSignal towards the SDK's request handlers, which take anything with `aborted` and `onabort`.
 * A real one, with its listeners, costs a worker under load a twentieth of its CPU (bench, drain).
 */
export class OpenCall {
  aborted = false;
  /** Set by the request handler. */
  onabort: (() => void) | null = null;
  /** Why it ended early. */
  reason: Error | undefined;
  /** The body of the answer once its head has come: an end that comes after that has to end the body as well. */
  body: unknown;
  readonly #onEnd: (reason: Error) => void;

  /** @param onEnd told once, when the call is ended early. */
  constructor(onEnd: (reason: Error) => void) {
    this.#onEnd = onEnd;
  }

  /** Ends it now; later calls change nothing. */
  end(reason: Error): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    this.onabort?.();
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
  readonly #timeoutMs: number;
  readonly #bySignal = new WeakMap<AbortSignal, Set<OpenCall>>();

  /** @param timeoutMs one call, from its start to the last byte of its answer. */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Runs `request`, which is to pass the call on as its abort signal.
   * @throws DeadlineError when the time was up, an error named `AbortError` when `signal` aborted; else whatever
   * `request` throws. It ends at once in both cases, even when `request` takes no notice.
   */
  run<T>(signal: AbortSignal, request: (call: OpenCall) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (signal.aborted) {
        reject(aborted());
        return;
      }
      const calls = this.#of(signal);
      const call = new OpenCall((reason) => settle(() => reject(reason)));
      const timer = setTimeout(() => {
        call.end(new DeadlineError(`no complete answer within ${this.#timeoutMs} ms`));
      }, this.#timeoutMs);
      const settle = (end: () => void): void => {
        clearTimeout(timer);
        calls.delete(call);
        end();
      };
      calls.add(call);
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
