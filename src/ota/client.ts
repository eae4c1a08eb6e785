/** AWS IoT Managed Integrations, one request by one request: the I/O edge where errors become data. */
import {
  IoTManagedIntegrationsClient,
  type IoTManagedIntegrationsClientConfig,
  UpdateOtaTaskCommand,
  type UpdateOtaTaskCommandOutput,
} from '@aws-sdk/client-iot-managed-integrations';
import {
  carry,
  DeadlineError,
  endWithTheCall,
  NEAREST_TO_THE_WIRE,
  type OpenCall,
  OpenCalls,
} from '../aws/open-call.ts';
import { socketsAtMost, unburden } from '../aws/sdk-client.ts';
import type { CallError } from '../message/failure.ts';
import type { Update } from '../message/update.ts';

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
  const calls = new OpenCalls();
  return {
    updateOtaTask: (update, signal) =>
      calls
        .run(options.callTimeoutMs, signal, (open) => send(client, update, open))
        .then(toAnswer, toFailedAnswer),
    destroy: () => client.destroy(),
  };
}

/** The SDK's client with its own retries off: p-retry is the only retry layer. Calls end as `carry` says. */
export function createClient({ maxSockets, client: overrides }: OtaApiOptions): IoTManagedIntegrationsClient {
  const client = new IoTManagedIntegrationsClient({
    requestHandler: socketsAtMost(maxSockets),
    maxAttempts: 1,
    // Resolves the middleware once and not for every call: a fifth of what a call costs (bench, drain).
    cacheMiddleware: true,
    ...overrides,
  });
  unburden(client);
  const { requestHandler } = client.config;
  client.middlewareStack.add(
    endWithTheCall((request, call) => requestHandler.handle(request, call)),
    NEAREST_TO_THE_WIRE,
  );
  return client;
}

async function send(
  client: IoTManagedIntegrationsClient,
  { Identifier, Description, TaskConfigurationId }: Update,
  call: OpenCall,
): Promise<UpdateOtaTaskCommandOutput> {
  const command = new UpdateOtaTaskCommand({ Identifier, Description, TaskConfigurationId });
  try {
    return await client.send(carry(command, call));
  } catch (error) {
    throw await blame(client, call, error);
  }
}

function toAnswer({ $metadata }: UpdateOtaTaskCommandOutput): CallAnswer {
  if ($metadata.httpStatusCode === 204) return { ok: true, requestId: $metadata.requestId };
  // A proxy's 200, say: the service answers 204 and nothing else.
  return { ok: false, error: unexpectedStatus($metadata.httpStatusCode) };
}

function toFailedAnswer(error: unknown): CallAnswer {
  if (error instanceof DeadlineError && !error.sent) {
    // Never sent: no message's fault, and nothing that the API did.
    const message = 'the call was not sent in time: the credentials did not come';
    return { ok: false, error: { name: 'CredentialsProviderError', message } };
  }
  return { ok: false, error: toCallError(error) };
}

/**
 * Whoever refuses the credentials (STS, say) is not the API: its codes and statuses say nothing of the message. So an
 * error from before the request was sent is laid to the credentials when they are not to be had.
 */
export async function blame(
  client: IoTManagedIntegrationsClient,
  call: OpenCall,
  error: unknown,
): Promise<unknown> {
  if (call.sent || call.reason !== undefined) return error;
  try {
    await client.config.credentials();
    return error;
  } catch (refused) {
    return Object.assign(new Error(toCallError(refused).message), { name: 'CredentialsProviderError' });
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
