/** What SQS's errors mean: one table, for requests that failed as a whole and for entries of a batch. PURE. */
import {
  type AwsErrorKind,
  awsErrorKind,
  awsErrorNames,
  isConnectionCode,
  kindsByName,
  withoutSuffix,
} from '../aws/errors.ts';
import { ForeignAnswerError } from '../aws/foreign.ts';
import { systemCode } from '../aws/system-code.ts';
import { remoteName, remoteText } from '../text/remote.ts';
import { withoutNamespace } from './answer-error.ts';
import type { BatchFailure } from './types.ts';

/**
 * In addition to the kinds that all AWS services have:
 * - `no-region`: the client does not know where to send the request.
 * - `missing`: there is no such queue.
 * - `key`: the queue's KMS key refuses, or cannot be used.
 * - `parcel`: the message, receipt handle or other content of an entry is unacceptable, and always will be. The list is
 *   closed: any other code of a failed entry says nothing about the entry, whatever SQS's `SenderFault` says.
 * - `foreign`: the answer did not come from SQS.
 * - `other`: a name that is not in the table.
 */
export type SqsErrorKind = AwsErrorKind | 'no-region' | 'missing' | 'key' | 'parcel' | 'foreign' | 'other';

/**
 * SQS's names over JSON, without the prefix `AWS.SimpleQueueService.` and the suffix `Exception`; `KMS.` becomes `Kms`.
 * Source: SQS's API reference, errors of the actions used here.
 */
const names = {
  missing: ['QueueDoesNotExist', 'NonExistentQueue', 'InvalidAddress', 'QueueDeletedRecently'],
  request: ['UnsupportedOperation'],
  key: [
    'KmsAccessDenied',
    'KmsDisabled',
    'KmsInvalidKeyUsage',
    'KmsInvalidState',
    'KmsNotFound',
    'KmsOptInRequired',
  ],
  parcel: [
    'BatchRequestTooLong',
    'InvalidBatchEntryId',
    'InvalidIdFormat',
    'InvalidMessageContents',
    'InvalidParameterCombination',
    'InvalidParameterValue',
    'MessageNotInflight',
    'MissingParameter',
    'ReceiptHandleIsInvalid',
  ],
  // More than 120,000 messages in flight: passes as soon as some are deleted.
  throttled: ['KmsThrottled', 'KmsThrottling', 'OverLimit'],
} as const satisfies Partial<Record<SqsErrorKind, readonly string[]>>;

/** All names whose meaning does not depend on anything else, by their kinds: for producers in other languages. */
export function sqsErrorNames(): Readonly<Record<string, readonly string[]>> {
  const all = Object.entries<readonly string[]>(awsErrorNames);
  const own = Object.entries<readonly string[]>(names);
  const merged = new Map<string, readonly string[]>();
  for (const [kind, some] of [...all, ...own]) merged.set(kind, [...(merged.get(kind) ?? []), ...some]);
  return Object.fromEntries(merged);
}

const kinds = kindsByName<SqsErrorKind & keyof typeof names>(names);

/** What the name of an error, or the code of a failed batch entry, means by itself. */
export function sqsNameKind(name: string): SqsErrorKind {
  const key = bareName(name);
  return kinds.get(key) ?? awsErrorKind(key) ?? 'other';
}

/** Of the parcel codes, those that may not occur for the same message with less in its attributes. */
const tooMuch: ReadonlySet<string> = new Set([
  'BatchRequestTooLong',
  'InvalidMessageContents',
  'InvalidParameterValue',
]);

/** Whether a refused message, by the code of its entry or its request, may be too large or have unsuitable attributes. */
export function mayBeTooMuch(name: string): boolean {
  return tooMuch.has(bareName(name));
}

/** A name or a code without the parts that differ between SQS's protocols, as in the tables. */
export function bareName(name: string): string {
  const code = withoutNamespace(name).replace(/^AWS\.SimpleQueueService\./, '');
  return withoutSuffix(code.replace(/^KMS\./, 'Kms'));
}

/** The meaning of a request that failed as a whole. */
export function sqsErrorKind(error: unknown): SqsErrorKind {
  const { name, message, status, code } = errorFacts(error);
  // SQS has its own names for KMS's refusals. If a policy refuses the key, only the message names the KMS action.
  const kind = /\bkms:[A-Z]/.test(message) && sqsNameKind(name) === 'denied' ? 'key' : sqsNameKind(name);
  if (kind === 'no-credentials') return kind;
  // The code comes before all other names: a truncated answer has a name or a status that means nothing.
  if (isConnectionCode(code)) return 'unreachable';
  if (kind !== 'other') return kind;
  if (status === undefined) return message.includes('Region is missing') ? 'no-region' : 'other';
  if (status === 429) return 'throttled';
  if (status === 408) return 'unreachable';
  if (status >= 500) return 'service';
  return error instanceof ForeignAnswerError ? 'foreign' : 'other';
}

const transientKinds: ReadonlySet<SqsErrorKind> = new Set(['throttled', 'unreachable', 'service']);

/** Whether the same request may succeed later: no connection, no answer in time, throttled, or SQS's own fault. */
export function isTransient(error: unknown): boolean {
  return transientKinds.has(sqsErrorKind(error));
}

/** Codes that concern one of a request's messages, and never the request itself. */
export const ofOneMessage: readonly string[] = ['BatchRequestTooLong', 'InvalidMessageContents'];

/**
 * Whether a batch request that failed as a whole may succeed without one of its entries, which the error does not name:
 * - `message`: the error concerns one of the entries.
 * - `unclear`: it may concern one entry, or every request to this queue (for example, a standard queue that accepts no
 *   group). If one entry is accepted alone, the error concerns the others.
 * - `no`.
 */
export function isForOneMessage(error: unknown): 'message' | 'unclear' | 'no' {
  if (sqsErrorKind(error) !== 'parcel') return 'no';
  return ofOneMessage.includes(bareName(errorFacts(error).name)) ? 'message' : 'unclear';
}

const QUEUE = Symbol('queue');

/** The same error with the queue that its request was for, which the SDK's errors lack. Not shown where errors are logged. */
export function withQueue(error: unknown, queueUrl: string | undefined): unknown {
  if (typeof error === 'object' && error !== null && Object.isExtensible(error))
    Object.defineProperty(error, QUEUE, { value: queueUrl, configurable: true });
  return error;
}

/** An entry of a batch that was not carried out, as the error of a request: for a caller that gives up because of it. */
export function entryError({ code, message }: BatchFailure, queueUrl: string): unknown {
  const answered = { $metadata: { httpStatusCode: 200 } };
  return withQueue(Object.assign(new Error(message), { name: code, ...answered }), queueUrl);
}

/** The URL of the queue that a failed request was for; undefined for an error that is not from an SQS request. */
export function failedQueue(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  return (error as { readonly [QUEUE]?: string })[QUEUE];
}

/** The parts of an error that determine its meaning, safe to show. */
export interface SqsErrorFacts {
  readonly name: string;
  readonly message: string;
  /** Of the HTTP answer, if there was one. */
  readonly status: number | undefined;
  /** The operating system's code for the error (`ECONNREFUSED`). */
  readonly code: string | undefined;
}

export function errorFacts(error: unknown): SqsErrorFacts {
  if (!(error instanceof Error))
    return { name: 'Error', message: remoteText(String(error)), status: undefined, code: undefined };
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  return {
    name: remoteName(error.name),
    message: remoteText(error.message),
    status: $metadata?.httpStatusCode,
    code: systemCode(error),
  };
}
