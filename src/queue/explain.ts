/** Explains in a sentence what failed. PURE. */
import { type Explanation, explainNoCredentials } from '../aws/errors.ts';
import { printable } from '../text/printable.ts';
import { printableUrl } from '../text/urls.ts';
import { bareName, errorFacts, type SqsErrorKind, sqsErrorKind, sqsNameKind } from './errors.ts';
import type { BatchFailure, QueueNotice } from './types.ts';

/** What a queue's KMS key must allow for each use of its messages. Source: SQS developer guide, "Key management". */
export const keyPermissions = {
  send: 'kms:GenerateDataKey and kms:Decrypt',
  receive: 'kms:Decrypt',
} as const;

/** The places to which a sentence about a failed request points its reader. */
export interface RequestHints {
  /** Where the queue's URL comes from. */
  readonly setting: string;
  /** What the credentials must allow. */
  readonly permission: string;
  /** How the queue's messages are used: decides what must be allowed on the queue's KMS key. */
  readonly does: keyof typeof keyPermissions;
}

const sending: RequestHints = {
  setting: '--queue-url (or QUEUE_URL)',
  permission: 'sqs:SendMessage',
  does: 'send',
};

/** One sentence, without its full stop, on what failed and how to fix it. */
export function explainSqsError(error: unknown, queueUrl: string, hints: RequestHints = sending): string {
  const { status, ...facts } = errorFacts(error);
  const answered = status !== undefined;
  return sentence(explanationOf({ ...facts, answered }, sqsErrorKind(error), queueUrl, hints));
}

/** As {@link explainSqsError}, for an entry that a batch request did not carry out. */
export function explainEntry(failure: BatchFailure, queueUrl: string, hints: RequestHints = sending): string {
  const { code: name, message } = failure;
  const facts = { name, message, answered: true };
  return sentence(explanationOf(facts, sqsNameKind(name), queueUrl, hints));
}

/** Why a request failed, in parts, as far as its error is known. */
export function explanationOf(
  facts: ErrorFacts,
  kind: SqsErrorKind,
  queueUrl: string,
  hints: RequestHints,
): Explanation {
  return explained(facts, kind, printableUrl(queueUrl), hints);
}

function sentence({ what, fix, said }: Explanation): string {
  return `${what}${fix === undefined ? '' : `: ${fix}`}${said === undefined ? '' : ` (${said})`}`;
}

/** The parts of an error from which its sentence is made. */
interface ErrorFacts {
  readonly name: string;
  readonly message: string;
  readonly code?: string | undefined;
  /** SQS gave this error. */
  readonly answered: boolean;
}

function explained(facts: ErrorFacts, kind: SqsErrorKind, queue: string, hints: RequestHints): Explanation {
  const { name, message, code, answered } = facts;
  const said = printable(saidBy(facts));
  const known = byName(name, queue, hints);
  if (known !== undefined) return { ...known, said };
  switch (kind) {
    case 'missing':
      return { what: `there is no queue ${queue}`, fix: `check ${hints.setting} and the region` };
    case 'denied':
      return {
        what: `access to ${queue} is denied`,
        fix: `the credentials need ${hints.permission} on it`,
        said,
      };
    case 'key':
      return {
        what: `the credentials may not use the KMS key of ${queue}`,
        fix: `they need ${keyPermissions[hints.does]} on the key, by their own policy and by the key's`,
        said,
      };
    case 'no-credentials':
      return explainNoCredentials(printable(message));
    case 'credentials':
      return {
        what: 'AWS does not accept the credentials',
        fix: 'renew them; the command `check` also looks at region and clock',
        said,
      };
    case 'request':
      return {
        what: `no request to ${queue} is possible`,
        fix: `check ${hints.setting} and the endpoint variables`,
        said,
      };
    case 'no-region':
      return { what: 'no AWS region is set', fix: 'set AWS_REGION' };
    case 'unreachable':
      return {
        what: `SQS cannot be reached for ${queue}`,
        fix: 'check the network, the proxy and the endpoint variables',
        said: printable(message) || (code ?? name),
      };
    case 'throttled':
      return { what: 'SQS throttles requests', fix: 'try again when there is less traffic', said };
    default:
      // An error of the system, or a bug: there was no answer.
      return kind === 'other' && !answered
        ? { what: `the request to ${queue} failed in this process`, said }
        : { what: `SQS answered ${said}` };
  }
}

function saidBy({ name, message }: ErrorFacts): string {
  if (message === '') return name;
  // One of our own names.
  return name === 'ForeignAnswer' ? message : `${name}: ${message}`;
}

/** Explanations for names that are more specific than their kind; undefined for all others. */
function byName(name: string, queue: string, hints: RequestHints): Explanation | undefined {
  switch (bareName(name)) {
    case 'ForeignAnswer':
      return {
        what: `SQS does not answer at ${queue}, but a proxy, a login page or another service does`,
        fix: `check ${hints.setting}, the endpoint variables and the network`,
      };
    case 'InvalidAddress':
      return { what: `${queue} is not the URL of a queue`, fix: `check ${hints.setting}` };
    case 'InvalidSecurity':
      return {
        what: `SQS accepts requests for ${queue} over https only`,
        fix: `check ${hints.setting} and the endpoint variables`,
      };
    case 'QueueDeletedRecently':
      return {
        what: `${queue} was deleted less than 60 seconds ago`,
        fix: 'create it again after that time',
      };
    case 'UnsupportedOperation':
      return {
        what: `SQS does not offer this operation for ${queue}`,
        fix: `check ${hints.setting}, and whether the queue is of the right kind (standard or FIFO)`,
      };
    case 'OverLimit':
      return {
        what: `too many messages of ${queue} are in flight (SQS allows 120,000)`,
        fix: 'wait until some are deleted or visible again',
      };
    case 'KmsDisabled':
      return {
        what: `the KMS key of ${queue} is disabled`,
        fix: 'enable it in KMS, or give the queue another key',
      };
    case 'KmsInvalidKeyUsage':
      return {
        what: `the KMS key of ${queue} is not an encryption key`,
        fix: 'give the queue a symmetric key with the usage ENCRYPT_DECRYPT',
      };
    case 'KmsInvalidState':
      return {
        what: `the KMS key of ${queue} cannot be used in its present state`,
        fix: 'look at its status in KMS: it may be about to be deleted',
      };
    case 'KmsNotFound':
      return {
        what: `the KMS key of ${queue} does not exist`,
        fix: 'set KmsMasterKeyId of the queue to a key that does',
      };
    case 'KmsOptInRequired':
      return {
        what: `the account of ${queue} may not use KMS`,
        fix: 'sign the account up for KMS, or let SQS itself encrypt the queue',
      };
    case 'KmsThrottled':
    case 'KmsThrottling':
      return {
        what: `KMS slows down the use of the key of ${queue}`,
        fix: "try again later, or raise the queue's KmsDataKeyReusePeriodSeconds",
      };
    default:
      return undefined;
  }
}

/** A notice in one sentence, without its full stop. */
export function explainNotice(notice: QueueNotice): string {
  const queue = printableUrl(notice.queueUrl);
  const message = `message ${printable(notice.messageId)}`;
  return notice.type === 'message-left'
    ? `A ${message} of ${queue} is left there, because ${notice.reason}`
    : `The ${message} was sent to ${queue}, which answered with a different checksum; it is not sent again`;
}
