/** AWS IoT Managed Integrations, one request by one request: the I/O edge where errors become data. */
import {
  IoTManagedIntegrationsClient,
  type IoTManagedIntegrationsClientConfig,
  UpdateOtaTaskCommand,
  type UpdateOtaTaskCommandInput,
} from '@aws-sdk/client-iot-managed-integrations';
import type { CallError } from '../message/failure.ts';
import type { Update } from '../message/update.ts';
import { type OpenCall, OpenCalls } from './open-call.ts';

/** How one UpdateOtaTask call ended. */
export type CallAnswer =
  | { readonly ok: true; readonly requestId: string | undefined }
  | { readonly ok: false; readonly error: CallError };

/** The API as the worker uses it. */
export interface OtaApi {
  /** Calls UpdateOtaTask once. Never throws; an abort is an answer named `AbortError`. */
  updateOtaTask(update: Update, signal: AbortSignal): Promise<CallAnswer>;
  destroy(): void;
}

export interface OtaApiOptions {
  /** One call, connection included, in milliseconds. */
  readonly callTimeoutMs: number;
  /** Connections at most. */
  readonly maxSockets: number;
  readonly client?: IoTManagedIntegrationsClientConfig;
}

/** The API for updates; see `createClient`. */
export function createOtaApi(options: OtaApiOptions): OtaApi {
  const client = createClient(options);
  endWithTheCall(client);
  const calls = new OpenCalls(options.callTimeoutMs);
  return {
    updateOtaTask: (update, signal) => call(client, calls, update, signal),
    destroy: () => client.destroy(),
  };
}

/** The SDK's client with its own retries off: p-retry is the only retry layer. */
export function createClient({ maxSockets, client: overrides }: OtaApiOptions): IoTManagedIntegrationsClient {
  return new IoTManagedIntegrationsClient({
    requestHandler: {
      // The deadline is ours: the handler's own timeouts end with the headers.
      httpAgent: { maxSockets, keepAlive: true },
      httpsAgent: { maxSockets, keepAlive: true },
    },
    maxAttempts: 1,
    // Resolves the middleware once and not for every call: a fifth of what a call costs (bench, drain).
    cacheMiddleware: true,
    ...overrides,
  });
}

/** Where a command's input carries the call it belongs to: the SDK sends the fields of its schema and no others. */
const CALL = Symbol('call');

interface OpenInput extends UpdateOtaTaskCommandInput {
  readonly [CALL]: OpenCall;
}

/**
 * Hands the call to the request handler as its abort signal. The SDK's own way, `send(command, { abortSignal })`,
 * resolves the middleware anew each time.
 */
function endWithTheCall(client: IoTManagedIntegrationsClient): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const { [CALL]: abortSignal } = args.input as Partial<OpenInput>;
      if (abortSignal === undefined) return next(args);
      const request = args.request as Parameters<typeof client.config.requestHandler.handle>[0];
      const { response } = await client.config.requestHandler.handle(request, { abortSignal });
      abortSignal.body = response.body;
      // What the innermost handler of the stack answers; deserializing is done further out.
      return { response } as Awaited<ReturnType<typeof next>>;
    },
    { step: 'deserialize', priority: 'low', name: 'endWithTheCall' },
  );
}

async function call(
  client: IoTManagedIntegrationsClient,
  calls: OpenCalls,
  { Identifier, Description, TaskConfigurationId }: Update,
  signal: AbortSignal,
): Promise<CallAnswer> {
  try {
    const { $metadata } = await calls.run(signal, async (open) => {
      await credentialsOf(client);
      // A wait for credentials knows no abort.
      if (open.reason !== undefined) throw open.reason;
      const input: OpenInput = { Identifier, Description, TaskConfigurationId, [CALL]: open };
      return await client.send(new UpdateOtaTaskCommand(input));
    });
    if ($metadata.httpStatusCode === 204) return { ok: true, requestId: $metadata.requestId };
    // A proxy's 200, say: the service answers 204 and nothing else.
    return { ok: false, error: unexpectedStatus($metadata.httpStatusCode) };
  } catch (error) {
    return { ok: false, error: toCallError(error) };
  }
}

/** Whoever refuses the credentials (STS, say) is not the API: its codes and statuses say nothing of the message. */
export async function credentialsOf(client: IoTManagedIntegrationsClient): Promise<void> {
  try {
    await client.config.credentials();
  } catch (error) {
    throw Object.assign(new Error(toCallError(error).message), { name: 'CredentialsProviderError' });
  }
}

function unexpectedStatus(status: number | undefined): CallError {
  return {
    name: 'Unknown',
    message: `answered ${status}, where the service answers 204`,
    ...(status !== undefined && { status }),
  };
}

/** What the SDK hangs on the errors it throws; hostile shapes included, so everything is optional and checked. */
interface SdkError {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly stack?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: unknown; readonly requestId?: unknown };
  readonly $response?: {
    readonly headers?: Readonly<Record<string, unknown>>;
    readonly statusCode?: unknown;
  };
}

/** The facts of whatever was thrown. */
export function toCallError(thrown: unknown): CallError {
  const error = (
    typeof thrown === 'object' && thrown !== null ? thrown : { message: String(thrown) }
  ) as SdkError;
  const status = number(error.$metadata?.httpStatusCode) ?? number(error.$response?.statusCode);
  const code = text(error.code);
  const requestId = text(error.$metadata?.requestId);
  const retryAfter = text(error.$response?.headers?.['retry-after']);
  const stack = text(error.stack);
  return {
    name: text(error.name) ?? 'Error',
    message: text(error.message) || (code ?? ''),
    ...(status !== undefined && { status }),
    ...(code !== undefined && { code }),
    ...(requestId !== undefined && { requestId }),
    ...(retryAfter !== undefined && { retryAfter }),
    ...(stack !== undefined && { stack }),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
