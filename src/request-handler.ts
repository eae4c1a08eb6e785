/** How the SDK's clients speak HTTP. */
import { UndiciHttpHandler } from '@smithy/undici-http-handler';
import toFastProperties from 'to-fast-properties';

/**
 * A request handler for an SDK client, on undici: with the SDK's own, on `node:http`, a call costs a sixth more of CPU
 * (bench, drain). It keeps an unused connection for 4 s, or as long as the server says.
 * @param maxSockets connections to one host, at most.
 */
export function createRequestHandler(maxSockets: number): UndiciHttpHandler {
  return new UndiciHttpHandler({
    dispatcher: {
      connections: maxSockets,
      allowH2: false,
      // Deadlines are ours, for a whole request and down to the last byte (see OpenCalls).
      headersTimeout: 0,
      bodyTimeout: 0,
    },
  });
}

interface SdkClient {
  readonly config: object;
  readonly middlewareStack: { remove(name: string): boolean };
}

/** Takes from an SDK client's requests what they do for nothing. What they send and answer stays the same. */
export function unburden({ config, middlewareStack }: SdkClient): void {
  // Gathers what a logger would say of every request: there is none.
  middlewareStack.remove('loggerMiddleware');
  // Every request copies the configuration three times: seven times as fast when V8 does not keep it as a dictionary.
  toFastProperties(config);
}
