/** Explains why a task or a task configuration could not be read. PURE. */
import { awsErrorKind, explainNoCredentials } from '../aws/errors.ts';
import { printable } from '../text/printable.ts';
import type { Failure } from './failure.ts';

/** The operations that commands call, besides UpdateOtaTask. */
export type ReadOperation =
  | 'GetOtaTask'
  | 'ListOtaTasks'
  | 'ListOtaTaskExecutions'
  | 'GetOtaTaskConfiguration'
  | 'ListOtaTaskConfigurations'
  | 'CreateOtaTaskConfiguration';

/** One sentence, without its full stop, on why a read failed and how to fix it. */
export function explainRead(operation: ReadOperation, failure: Failure): string {
  const { kind, name, message, status } = failure;
  const said = `${printable(name)}: ${printable(message)}`;
  switch (kind) {
    case 'denied':
      return `${operation} is denied: the credentials need iotmanagedintegrations:${operation} (${said})`;
    case 'misconfigured':
      if (awsErrorKind(name) === 'no-credentials') {
        const { what, fix } = explainNoCredentials(printable(message));
        return fix === undefined ? what : `${what}: ${fix}`;
      }
      if (message.includes('Region is missing')) return 'no AWS region is set: set AWS_REGION';
      return `AWS does not accept the credentials or the set-up; the command \`check\` examines them (${said})`;
    case 'internal':
      return `${operation} failed (${said})`;
    default:
      return status === undefined
        ? `the API cannot be reached for ${operation} (${said})`
        : `the API answered ${operation} with ${status} (${said})`;
  }
}

/** What the API does when a call is retried, as a phrase that follows the API's name, without its full stop. */
export function explainAway({ name, message, status }: Failure): string {
  const said = `${printable(name)}: ${printable(message)}`;
  return status === undefined ? `cannot be reached (${said})` : `answers with ${status} (${said})`;
}
