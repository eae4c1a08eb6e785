/**
 * Faults inside otherwise complete answers of SQS: checksums that do not match, and entries of a batch that were
 * not carried out. For rules of an `SqsProxy`, and for the fault proxy of chaos runs. PURE.
 */
import type { SqsRequest, SqsRule } from './proxy.ts';

type Json = Readonly<Record<string, unknown>>;

/** An entry of a batch request, with the fields that all actions have. */
export interface BatchEntry extends Json {
  readonly Id: string;
}

/** What the answer says about an entry that was not carried out. */
export interface EntryFault {
  /** In SQS's wording: `ReceiptHandleIsInvalid`, `KMS.ThrottlingException`. */
  readonly code: string;
  readonly senderFault: boolean;
}

/** Codes for entries that SQS does not carry out although they are not at fault, but with `SenderFault`: seen on AWS. */
export const blamelessCodes = [
  'RequestThrottled',
  'KMS.ThrottlingException',
  'KmsThrottled',
  'KMS.AccessDeniedException',
  'AccessDenied',
  'InternalError',
  'ServiceUnavailable',
] as const;

const WRONG = '00000000000000000000000000000000';

/**
 * The answer to a receive or a send with a checksum that does not match.
 * @param which the indexes of the messages or sent entries concerned; default: all.
 * @param part of the message that the checksum belongs to.
 */
export function withWrongChecksum(
  output: Json,
  which: (index: number, count: number) => boolean = () => true,
  part: 'body' | 'attributes' = 'body',
): Json {
  const spoil = (list: unknown, name: string): unknown =>
    Array.isArray(list)
      ? list.map((item: Json, i) => (which(i, list.length) ? { ...item, [name]: WRONG } : item))
      : list;
  const attributes = 'MD5OfMessageAttributes';
  const of = (body: string): string => (part === 'body' ? body : attributes);
  return {
    ...output,
    ...('Messages' in output && { Messages: spoil(output.Messages, of('MD5OfBody')) }),
    ...('Successful' in output && { Successful: spoil(output.Successful, of('MD5OfMessageBody')) }),
  };
}

/** The receipt handle of the message whose checksum was changed in a receive. */
export function damagedMessage(answer: string): string | undefined {
  const { Messages = [] } = JSON.parse(answer) as {
    Messages?: { MD5OfBody: string; ReceiptHandle: string }[];
  };
  return Messages.find(({ MD5OfBody }) => MD5OfBody === WRONG)?.ReceiptHandle;
}

/** A rule that spoils checksums in every answer of `action`. The parameters are those of {@link withWrongChecksum}. */
export function wrongChecksums(
  action: 'ReceiveMessage' | 'SendMessageBatch',
  which?: (index: number, count: number) => boolean,
  part?: 'body' | 'attributes',
): SqsRule {
  return async (request, forward) => {
    const answer = await forward();
    return request.action === action && answer.status === 200
      ? { ...answer, output: withWrongChecksum(answer.output, which, part) }
      : answer;
  };
}

/**
 * A rule by which only some entries of a batch are carried out; the answer lists the others as failed.
 * @param faultOf why an entry is not carried out; undefined: it is.
 */
export function failEntries(
  faultOf: (entry: BatchEntry, request: SqsRequest) => EntryFault | undefined,
): SqsRule {
  return async (request, forward) => {
    const { carriedOut, failed } = splitEntries(request.input, (entry) => faultOf(entry, request));
    if (failed.length === 0) return forward();
    if (carriedOut.length === 0) return { status: 200, output: { Successful: [], Failed: failed } };
    const answer = await forward({ ...request.input, Entries: carriedOut });
    return answer.status === 200 ? { ...answer, output: withFailed(answer.output, failed) } : answer;
  };
}

/** The entries of a batch request to carry out, and what the answer says about the others. */
export function splitEntries(
  input: Json,
  faultOf: (entry: BatchEntry) => EntryFault | undefined,
): { readonly carriedOut: readonly BatchEntry[]; readonly failed: readonly Json[] } {
  const failed: Json[] = [];
  const entries = (input.Entries as readonly BatchEntry[] | undefined) ?? [];
  const carriedOut = entries.filter((entry) => {
    const fault = faultOf(entry);
    if (fault === undefined) return true;
    const { code, senderFault } = fault;
    failed.push({ Id: entry.Id, SenderFault: senderFault, Code: code, Message: `injected: ${code}` });
    return false;
  });
  return { carriedOut, failed };
}

/** Adds the entries that were not carried out to the answer about those that were. */
export function withFailed(output: Json, failed: readonly Json[]): Json {
  return { ...output, Failed: [...((output.Failed as Json[] | undefined) ?? []), ...failed] };
}
