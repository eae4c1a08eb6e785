/** Sends the SDK's commands for one queue, each bounded in time. */
import type { SQSClient } from '@aws-sdk/client-sqs';
import { carry, OpenCalls } from '../aws/open-call.ts';
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
 * Resolves the middleware of each kind of command once, where the client's own `send` does it for every request: that
 * is a tenth of what a request costs. It is kept by queue and not by client, because the SDK writes a queue's endpoint
 * into what is kept.
 */
export class Sender {
  readonly #client: SQSClient;
  readonly #calls = new OpenCalls();
  readonly #resolved = new Map<unknown, Send<never, unknown>>();

  /** @param client one that `createSqsClient` made, or no request ends when its time is up. */
  constructor(client: SQSClient) {
    this.#client = client;
  }

  /**
   * @throws DeadlineError or an error named `AbortError` when it was ended early; else the SDK's error. `failedQueue`
   * knows of all of them which queue it was.
   */
  send<Input extends object, Output>(
    command: Command<Input, Output>,
    { timeoutMs, signal }: SendBounds,
  ): Promise<Output> {
    const request = this.#calls.run(timeoutMs, signal, async (call) => {
      const { output } = await this.#resolve(command)(carry(command, call));
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
