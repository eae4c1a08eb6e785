/** Replaces parts of the SDK's handling of SQS requests and answers. */
import { NEAREST_TO_THE_WIRE } from '../aws/open-call.ts';
import type { ReceiveOptions } from './types.ts';
import { originFor } from './urls.ts';

type Next<Args, Answer> = (args: Args) => Promise<Answer>;

type Middleware = <Args extends { readonly input: object }, Answer extends { readonly response: unknown }>(
  next: Next<Args, Answer>,
  context: {
    readonly commandName?: string;
    /** Where the request goes. */
    endpointV2?: { readonly url: URL };
  },
) => Next<Args, Answer>;

/** The parts of an SDK client that are needed. */
interface SdkClient {
  readonly config: {
    readonly streamCollector: (body: unknown) => Promise<Uint8Array>;
    /** Whether the client was given an endpoint. */
    readonly isCustomEndpoint?: boolean | undefined;
    /** The endpoint of the environment or the profile, unless it must be ignored. */
    readonly serviceConfiguredEndpoint?: (() => Promise<unknown>) | undefined;
    readonly useFipsEndpoint: () => Promise<boolean>;
    readonly useDualstackEndpoint: () => Promise<boolean>;
  };
  readonly middlewareStack: {
    addRelativeTo(
      middleware: Middleware,
      options: { relation: 'before' | 'after'; toMiddleware: string; name: string },
    ): void;
  };
}

/** Whether an endpoint is configured, so that neither the region nor queue URLs determine the host. */
export async function hasEndpoint({ config }: Pick<SdkClient, 'config'>): Promise<boolean> {
  return config.isCustomEndpoint === true || (await config.serviceConfiguredEndpoint?.()) !== undefined;
}

/**
 * Sends requests of a client to {@link originFor}, or to the configured endpoint. Replaces the SDK's own choice, which
 * always uses the URL's host and reports this on stderr at every request.
 */
export function chooseHosts({ middlewareStack, config }: SdkClient): void {
  const choose: Middleware = (next, context) => {
    // A cache for one queue is enough: the middleware is resolved once for each queue.
    let last: { readonly queueUrl: string; readonly regional: URL; readonly url: URL } | undefined;
    return async (args) => {
      const { endpointV2 } = context;
      const { QueueUrl: queueUrl } = args.input as { readonly QueueUrl?: string };
      if (endpointV2 === undefined || queueUrl === undefined) return next(args);
      const regional = endpointV2.url;
      if (last?.queueUrl !== queueUrl || last.regional.href !== regional.href) {
        const [configured, fips, dualStack] = await Promise.all([
          hasEndpoint({ config }),
          config.useFipsEndpoint(),
          config.useDualstackEndpoint(),
        ]);
        const origin = originFor(queueUrl, regional.origin, { fips, dualStack });
        last = { queueUrl, regional, url: configured ? regional : new URL(origin) };
      }
      context.endpointV2 = { ...endpointV2, url: last.url };
      return next(args);
    };
  };
  const name = 'chooseHosts';
  middlewareStack.addRelativeTo(choose, { relation: 'after', toMiddleware: 'endpointV2Middleware', name });
}

/** The part of the SDK's HTTP response that is needed. */
interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  body: unknown;
  [TEXT]?: string;
}

const TEXT = Symbol('text');

/** Answers with fewer bytes are read without asking. */
const LARGE_ANSWER_BYTES = 256 * 1_024;

/**
 * The property of a receive's input that decides when its answer may be read. The SDK sends only the fields of its schema.
 */
const ADMIT = Symbol('admit');

type Admit = NonNullable<ReceiveOptions['admit']>;

/** Makes a large answer to `command` wait on its connection until it is admitted, which makes its sender wait too. */
export function attachAdmission(command: { readonly input: object }, admit: Admit): void {
  (command.input as { [ADMIT]?: Admit })[ADMIT] = admit;
}

async function admitted(input: object, { headers, body }: HttpAnswer): Promise<void> {
  const { [ADMIT]: admit } = input as { readonly [ADMIT]?: Admit };
  const bytes = Number(headers['content-length'] ?? 0);
  if (admit === undefined || bytes < LARGE_ANSWER_BYTES) return;
  try {
    await admit(bytes);
  } catch (error) {
    (body as { destroy?: () => void }).destroy?.();
    throw error;
  }
}

/** The first status that means an error; the SDK reads such answers. */
const FIRST_ERROR = 300;

/**
 * From now on a client's answers to receives have a text ({@link keptText}), and nothing for the SDK, which would read an
 * answer as a whole or not at all (convert.ts).
 */
export function keepReceivedText({ middlewareStack, config }: SdkClient): void {
  const keep: Middleware = (next, { commandName }) => {
    if (commandName !== 'ReceiveMessageCommand') return next;
    return async (args) => {
      const result = await next(args);
      const response = result.response as HttpAnswer;
      if (response.statusCode >= FIRST_ERROR) return result;
      await admitted(args.input, response);
      const { buffer, byteOffset, byteLength } = await config.streamCollector(response.body);
      response[TEXT] = Buffer.from(buffer, byteOffset, byteLength).toString();
      response.body = undefined;
      return result;
    };
  };
  const name = 'keepReceivedText';
  middlewareStack.addRelativeTo(keep, {
    relation: 'before',
    toMiddleware: NEAREST_TO_THE_WIRE.name,
    name,
  });
}

/** The text of the answer to a receive. */
export function keptText(response: unknown): string {
  return (response as HttpAnswer)[TEXT] ?? '';
}
