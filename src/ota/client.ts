/** UpdateOtaTask through the AWS SDK, with errors as data. */
import {
  IoTManagedIntegrationsClient,
  type IoTManagedIntegrationsClientConfig,
  UpdateOtaTaskCommand,
  type UpdateOtaTaskCommandOutput,
} from '@aws-sdk/client-iot-managed-integrations';
import { attachCall, type OpenCall, OpenCalls } from '../aws/open-call.ts';
import { clientDefaults, prepareClient } from '../aws/sdk-client.ts';
import { systemCode } from '../aws/system-code.ts';
import { transport } from '../aws/transport.ts';
import type { CallError } from '../message/failure.ts';
import type { Update } from '../message/update.ts';
import type { StartTimer } from '../time/clock.ts';

/** How one UpdateOtaTask call ended. */
export type CallAnswer =
  | { readonly ok: true; readonly requestId: string | undefined }
  | { readonly ok: false; readonly error: CallError };

export interface OtaApi {
  /** Calls UpdateOtaTask once. Never rejects; an abort is an error named `AbortError`. */
  updateOtaTask(update: Update, signal: AbortSignal): Promise<CallAnswer>;
  destroy(): void;
}

export interface OtaApiOptions {
  /** Time limit of one call, from its start to the last byte of the answer, in milliseconds. */
  readonly callTimeoutMs: number;
  /** Measures `callTimeoutMs`. Default: the system's timers. */
  readonly startTimer?: StartTimer;
  /** The most connections open at once. */
  readonly maxSockets: number;
  /** Holds the proxy variables. Default: none. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Overrides for the SDK client's configuration. */
  readonly client?: IoTManagedIntegrationsClientConfig;
}

export function createOtaApi(options: OtaApiOptions): OtaApi {
  const client = createClient(options);
  const calls = new OpenCalls(options.startTimer);
  return {
    updateOtaTask: (update, signal) =>
      calls
        .run(options.callTimeoutMs, signal, (open) => send(client, update, open))
        .then(toAnswer, (error: unknown) => ({ ok: false, error: toCallError(error) })),
    destroy: () => client.destroy(),
  };
}

/**
 * An SDK client without its own retries, because p-retry is the only retry layer. An `OpenCall` attached to a command can
 * end its request.
 */
export function createClient({
  maxSockets,
  env = {},
  client: overrides,
}: OtaApiOptions): IoTManagedIntegrationsClient {
  const client = new IoTManagedIntegrationsClient({
    ...transport(maxSockets, env),
    ...clientDefaults,
    // Resolves the middleware once instead of for every call, which would take a fifth of a call's CPU (bench, drain).
    cacheMiddleware: true,
    ...overrides,
  });
  prepareClient(client);
  return client;
}

async function send(
  client: IoTManagedIntegrationsClient,
  { Identifier, Description, TaskConfigurationId }: Update,
  call: OpenCall,
): Promise<UpdateOtaTaskCommandOutput> {
  const command = new UpdateOtaTaskCommand({ Identifier, Description, TaskConfigurationId });
  return await client.send(attachCall(command, call));
}

function toAnswer({ $metadata }: UpdateOtaTaskCommandOutput): CallAnswer {
  if ($metadata.httpStatusCode === 204) return { ok: true, requestId: $metadata.requestId };
  // The service answers only with 204; a 200 may come from a proxy.
  return { ok: false, error: unexpectedStatus($metadata.httpStatusCode) };
}

function unexpectedStatus(status: number | undefined): CallError {
  return {
    name: 'Unknown',
    message: `answered ${status}, but the service answers 204`,
    ...(status !== undefined && { status }),
  };
}

/** The SDK's fields of an error. Anything can be thrown, so all are optional and checked. */
interface SdkError {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly sent?: unknown;
  readonly stack?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: unknown; readonly requestId?: unknown };
  readonly $response?: {
    readonly headers?: Readonly<Record<string, unknown>>;
    readonly statusCode?: unknown;
  };
}

/** The facts about anything thrown. */
export function toCallError(thrown: unknown): CallError {
  const error = (
    typeof thrown === 'object' && thrown !== null ? thrown : { message: String(thrown) }
  ) as SdkError;
  const status = asNumber(error.$metadata?.httpStatusCode) ?? asNumber(error.$response?.statusCode);
  const code = text(systemCode(thrown));
  const requestId = text(error.$metadata?.requestId);
  const errorType = text(error.$response?.headers?.['x-amzn-errortype']);
  const retryAfter = text(error.$response?.headers?.['retry-after']);
  const awsRetryAfter = text(error.$response?.headers?.['x-amz-retry-after']);
  const date = text(error.$response?.headers?.date);
  const stack = text(error.stack);
  return {
    name: text(error.name) ?? 'Error',
    message: text(error.message) || (code ?? ''),
    ...(status !== undefined && { status }),
    ...(code !== undefined && { code }),
    ...(error.sent === false && { sent: false as const }),
    ...(requestId !== undefined && { requestId }),
    ...(errorType !== undefined && { errorType }),
    ...(retryAfter !== undefined && { retryAfter }),
    ...(awsRetryAfter !== undefined && { awsRetryAfter }),
    ...(retryAfter !== undefined && date !== undefined && { date }),
    ...(stack !== undefined && { stack }),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
