/** Why work on dead letters has ended early, in words. PURE. */
import { causeOf } from '../../errors.ts';
import { failedQueue } from '../../queue/errors.ts';
import { explainSqsError, type RequestHints } from '../../queue/explain.ts';
import { printable } from '../../text/printable.ts';
import { AuditError } from '../changes/audit.ts';
import type { LettersConfig } from './open.ts';

/** One sentence, without its full stop; undefined for an error that comes neither from SQS nor from the log of changes. */
export function explain(error: unknown, config: LettersConfig): string | undefined {
  if (error instanceof AuditError)
    return `${logFault(error)}. A change that cannot be logged is not made; STATE_DIR is the folder of the log`;
  const url = failedQueue(error);
  if (url === undefined) return undefined;
  return explainSqsError(error, url, url === config.queueUrl ? sourceHints : deadHints);
}

/** Says that the end of a change is not in the log: a sentence without its full stop. */
export function endUnloggedText(error: AuditError): string {
  return unloggedText('How it ended', error);
}

/**
 * Says that an action is not in the log: a sentence without its full stop.
 * @param what such as `That ann has stopped it`.
 */
export function unloggedText(what: string, error: AuditError): string {
  return `${what} is not in the log of changes: ${logFault(error)}`;
}

function logFault({ path, cause }: AuditError): string {
  return `the log of changes ${printable(path)} cannot be written: ${printable(causeOf(cause))}`;
}

/** Why a change has ended early, in words; undefined: it did not. */
export function errorText(error: unknown, config: LettersConfig): string | undefined {
  return error === undefined ? undefined : (explain(error, config) ?? printable(String(error)));
}

const sourceHints: RequestHints = {
  setting: 'QUEUE_URL',
  permission: 'sqs:SendMessage and GetQueueAttributes',
  does: 'send',
};
const deadHints: RequestHints = {
  setting: 'DEAD_LETTER_QUEUE_URL',
  permission: 'sqs:ReceiveMessage, ChangeMessageVisibility, DeleteMessage and GetQueueAttributes',
  does: 'receive',
};
