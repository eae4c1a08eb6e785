/** The text of answers to receives, kept from the SDK, which would read it as a whole or not at all (convert.ts). */
import { NEAREST_TO_THE_WIRE } from '../aws/open-call.ts';

/** The part of the SDK's HTTP response that is needed. */
interface HttpAnswer {
  readonly statusCode: number;
  body: unknown;
  [TEXT]?: string;
}

const TEXT = Symbol('text');

/** The first status that is an error: those answers the SDK reads. */
const FIRST_ERROR = 300;

type Next<Args, Answer> = (args: Args) => Promise<Answer>;

type Middleware = <Args, Answer extends { readonly response: unknown }>(
  next: Next<Args, Answer>,
  context: { readonly commandName?: string },
) => Next<Args, Answer>;

/** The part of an SDK client that is needed. */
interface SdkClient {
  readonly config: { readonly streamCollector: (body: unknown) => Promise<Uint8Array> };
  readonly middlewareStack: {
    addRelativeTo(
      middleware: Middleware,
      options: { relation: 'before'; toMiddleware: string; name: string },
    ): void;
  };
}

/** From now on answers of `client` to receives have a text ({@link keptText}), and nothing for the SDK to read. */
export function keepReceivedText({ middlewareStack, config }: SdkClient): void {
  const keep: Middleware = (next, { commandName }) => {
    if (commandName !== 'ReceiveMessageCommand') return next;
    return async (args) => {
      const result = await next(args);
      const response = result.response as HttpAnswer;
      if (response.statusCode >= FIRST_ERROR) return result;
      const { buffer, byteOffset, byteLength } = await config.streamCollector(response.body);
      response[TEXT] = Buffer.from(buffer, byteOffset, byteLength).toString();
      response.body = undefined;
      return result;
    };
  };
  const options = {
    relation: 'before',
    toMiddleware: NEAREST_TO_THE_WIRE.name,
    name: 'keepReceivedText',
  } as const;
  middlewareStack.addRelativeTo(keep, options);
}

/** The text of the answer to a receive. */
export function keptText(response: unknown): string {
  return (response as HttpAnswer)[TEXT] ?? '';
}
