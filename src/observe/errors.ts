/** Errors as fields of a log line. */
import { remoteName, remoteText } from '../text/remote.ts';

export interface DescribedError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly status?: number;
  readonly requestId?: string;
}

interface Shape {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: unknown; readonly requestId?: unknown };
}

/**
 * Name, message, code, status and AWS request id of any thrown value, or of a failed batch entry. Never the response
 * or its headers, which may contain secrets. The message is cut to 1,000 characters. Never throws.
 */
export function describeError(error: unknown): DescribedError {
  if (typeof error !== 'object' || error === null)
    return { name: 'Error', message: remoteText(String(error)) };
  const { name, message, code, $metadata } = error as Shape;
  const status = $metadata?.httpStatusCode;
  const requestId = $metadata?.requestId;
  return {
    name: typeof name === 'string' ? remoteName(name) : 'Error',
    message: remoteText(message),
    ...(typeof code === 'string' && { code: remoteName(code) }),
    ...(typeof status === 'number' && { status }),
    ...(typeof requestId === 'string' && { requestId: remoteName(requestId) }),
  };
}
