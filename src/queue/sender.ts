/** Sends the SDK's commands for one queue, each with a time limit. */
import type { SQSClient } from '@aws-sdk/client-sqs';
import { attachCall, OpenCalls } from '../aws/open-call.ts';
import { withQueue } from './errors.ts';

type Send<Input, Output> = (args: { input: Input }) => Promise<{ output: Output }>;

/** What the SDK's commands have in common. */
interface Command<Input, Output> {
  readonly input: Input & { readonly QueueUrl: string | undefined };
  resolveMiddleware(stack: unknown, config: unknown, options: unknown): Send<Input, Output>;
}

export interface SendBounds {
  /** From now to the last byte of the answer. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Resolves the middleware of each kind of command once; the client's own `send` does so for every request, which is a
 * tenth of its CPU. One sender serves one queue, because the SDK keeps a queue's endpoint with the middleware.
 */
export class Sender {
  readonly #client: SQSClient;
  readonly #calls = new OpenCalls();
  readonly #resolved = new Map<unknown, Send<never, unknown>>();

  /** @param client one that `createSqsClient` made: of others, requests cannot be ended early. */
  constructor(client: SQSClient) {
    this.#client = client;
  }

  /**
   * @throws DeadlineError or an error named `AbortError` when it was ended early; else the SDK's error. Each tells its
   * queue by `failedQueue`.
   */
  send<Input extends object, Output>(
    command: Command<Input, Output>,
    { timeoutMs, signal }: SendBounds,
  ): Promise<Output> {
    const request = this.#calls.run(timeoutMs, signal, async (call) => {
      const { output } = await this.#resolve(command)(attachCall(command, call));
      return output;
    });
    return request.catch((error: unknown) => {
      throw withQueue(error, command.input.QueueUrl);
    });
  }

  #resolve<Input, Output>(command: Command<Input, Output>): Send<Input, Output> {
    const known = this.#resolved.get(command.constructor);
    if (known !== undefined) return known as Send<Input, Output>;
    const { middlewareStack, config } = this.#client;
    const send = command.resolveMiddleware(middlewareStack, config, undefined);
    this.#resolved.set(command.constructor, send);
    return send;
  }
}
