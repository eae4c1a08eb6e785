/** Shared by all targets on AWS: one call with its time limit, and the meaning of its failure. */
import { awsErrorKind, explainNoCredentials, isConnectionCode } from '../../aws/errors.ts';
import { named } from '../../aws/foreign.ts';
import { type OpenCall, OpenCalls } from '../../aws/open-call.ts';
import { systemCode } from '../../aws/system-code.ts';
import { printable } from '../../text/printable.ts';
import { remoteName, remoteText } from '../../text/remote.ts';
import { TELL_TIMEOUT_MS, type Telling } from '../target.ts';

/** What to check when AWS refuses. */
export interface AwsHints {
  /** `NOTIFY_TOPIC_ARN`. */
  readonly setting: string;
  /** `sns:Publish`. */
  readonly permission: string;
}

/**
 * Makes one call.
 * @param send passes the call on to its command (`attachCall`).
 */
export async function tellAws(
  signal: AbortSignal,
  hints: AwsHints,
  send: (call: OpenCall) => Promise<Telling>,
): Promise<Telling> {
  try {
    return await new OpenCalls().run(TELL_TIMEOUT_MS, signal, send);
  } catch (error) {
    return failureOf(named(error), hints);
  }
}

/** The meaning of a refusal by its name, for a request or for an entry in it. */
export function refusal(
  name: string,
  message: string,
  status: number | undefined,
  { setting, permission }: AwsHints,
): Telling {
  // SNS has its own names for it.
  const kind = awsErrorKind(name) ?? (status === 403 ? 'denied' : undefined);
  const said = printable([remoteName(name), remoteText(message)].filter(Boolean).join(': '));
  const passing = status === 429 || status === 408 || (status !== undefined && status >= 500);
  switch (kind) {
    case 'denied':
      // Permissions take effect some minutes after they were granted.
      return {
        ok: false,
        passing: true,
        why: `access is denied: the credentials need ${permission} (${said})`,
      };
    case 'no-credentials': {
      const { what, fix } = explainNoCredentials(printable(remoteText(message)));
      return { ok: false, passing: true, why: fix === undefined ? what : `${what}: ${fix}` };
    }
    case 'credentials':
      return { ok: false, passing: true, why: `AWS does not accept the credentials: renew them (${said})` };
    case 'throttled':
    case 'service':
      return { ok: false, passing: true, why: `AWS answered ${said}` };
    case 'unreachable':
      return { ok: false, passing: true, why: `it cannot be reached: ${said}` };
    default:
      return {
        ok: false,
        passing,
        why: passing ? `AWS answered ${said}` : `AWS answered ${said}: check ${setting}`,
      };
  }
}

function failureOf(error: unknown, hints: AwsHints): Telling {
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
  const { $metadata } = (error ?? {}) as { readonly $metadata?: { readonly httpStatusCode?: number } };
  const code = systemCode(error);
  if (isConnectionCode(code) && awsErrorKind(name) !== 'no-credentials')
    return {
      ok: false,
      passing: true,
      why: `it cannot be reached: ${printable(remoteText(message)) || code}`,
    };
  if (name === 'ForeignAnswer') return foreign(message, hints);
  // A success answer that the SDK could not read.
  const status = $metadata?.httpStatusCode ?? statusOf(error);
  if (status !== undefined && status < 300) return foreign(message, hints);
  return refusal(name, message, status, hints);
}

/** An answer that is not AWS's, such as a proxy's. The cause may pass. */
export function foreign(said: string, { setting }: AwsHints): Telling {
  const shown = said === '' ? '' : ` (${printable(remoteText(said))})`;
  return {
    ok: false,
    passing: true,
    why: `what answers is not AWS${shown}: check ${setting}, the endpoint variables and the network`,
  };
}

function statusOf(error: unknown): number | undefined {
  const { $response } = (error ?? {}) as { readonly $response?: { readonly statusCode?: unknown } };
  return typeof $response?.statusCode === 'number' ? $response.statusCode : undefined;
}
