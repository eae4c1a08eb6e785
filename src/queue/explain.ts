/** What failed, in a sentence for a person. PURE. */
import { printable } from '../text/printable.ts';
import { printableUrl } from '../text/urls.ts';
import { errorFacts, sqsErrorKind } from './errors.ts';
import type { QueueNotice } from './types.ts';

/** Where a sentence about a failed request sends its reader. */
export interface RequestHints {
  /** Where the queue's URL comes from. */
  readonly setting: string;
  /** What the credentials must allow. */
  readonly permission: string;
}

const sending: RequestHints = { setting: '--queue-url (or QUEUE_URL)', permission: 'sqs:SendMessage' };

/** One sentence, without its full stop, that says what failed and how to fix it. */
export function explainSqsError(error: unknown, queueUrl: string, hints: RequestHints = sending): string {
  const { name, message, code } = errorFacts(error);
  const queue = printableUrl(queueUrl);
  const said = printable(`${name}: ${message}`);
  switch (sqsErrorKind(error)) {
    case 'missing':
      return `there is no queue ${queue}: check ${hints.setting} and the region`;
    case 'denied':
      return `access to ${queue} is denied: the credentials need ${hints.permission} on it (${said})`;
    case 'key':
      return `the KMS key of ${queue} cannot be used: the credentials need kms:Decrypt on it, and kms:GenerateDataKey to send (${said})`;
    case 'no-credentials':
      return `no AWS credentials were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (${said})`;
    case 'credentials':
      return `AWS does not accept the credentials (${said})`;
    case 'request':
      return `${queue} cannot be asked: check ${hints.setting} and the endpoint variables (${said})`;
    case 'no-region':
      return 'no AWS region is set: set AWS_REGION';
    case 'unreachable':
      return `SQS cannot be reached for ${queue} (${printable(message) || code})`;
    default:
      return `SQS answered ${said}`;
  }
}

/** A notice in one sentence, without its full stop. */
export function explainNotice(notice: QueueNotice): string {
  const queue = printableUrl(notice.queueUrl);
  const message = `message ${printable(notice.messageId)}`;
  return notice.type === 'message-left'
    ? `A ${message} of ${queue} is left there, since ${notice.reason}`
    : `The ${message} was sent to ${queue}, which answered with a checksum that differs; it is not sent again`;
}
