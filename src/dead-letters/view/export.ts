/** Letters as JSON Lines: complete, or only the updates in them. PURE. */
import type { MessageAttribute } from '../../message/message.ts';
import { decidedAt } from '../../message/parse.ts';
import { toSqsAttributes } from '../../queue/convert.ts';
import { printableJson } from '../../text/printable.ts';
import { causeOf } from '../letters/causes.ts';
import type { Letter } from '../letters/letter.ts';

export type ExportForm = 'letters' | 'updates';

/** Attributes in the JSON form of the SQS API, so that any SDK or the AWS command line can send them again. */
function attributesJson(attributes: Readonly<Record<string, MessageAttribute>>): Record<string, unknown> {
  const entries = Object.entries(toSqsAttributes(attributes)).map(([name, { BinaryValue, ...value }]) => [
    name,
    BinaryValue === undefined
      ? value
      : { ...value, BinaryValue: Buffer.from(BinaryValue).toString('base64') },
  ]);
  return Object.fromEntries(entries);
}

/** The whole letter and its cause. */
export function letterRecord(letter: Letter): Readonly<Record<string, unknown>> {
  const { message, record } = letter;
  return {
    MessageId: message.messageId,
    Reason: letter.reason,
    Group: causeOf(letter).group,
    SentAt: record?.sentAt ?? new Date(message.sentAt).toISOString(),
    ArrivedAt: new Date(letter.arrivedAt).toISOString(),
    ...(message.groupId !== undefined && { MessageGroupId: message.groupId }),
    Record: record ?? null,
    MessageAttributes: attributesJson(message.attributes),
    Body: message.body,
  };
}

/**
 * One line without its line feed.
 * @returns undefined in the form `updates` for a letter without a valid update.
 */
export function exportLine(letter: Letter, form: ExportForm): string | undefined {
  if (form === 'letters') return printableJson(letterRecord(letter));
  if (!letter.update.ok) return undefined;
  const { update } = letter.update;
  // Without an IssuedAt, `enqueue` would set a new one, and old values would overwrite newer ones.
  const IssuedAt = update.IssuedAt ?? new Date(decidedAt(letter.update, letter.message)).toISOString();
  return printableJson({ ...update, IssuedAt });
}
