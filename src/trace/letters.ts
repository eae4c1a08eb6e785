/** A letter on the dead-letter queue, as a finding. PURE. */
import type { Letter } from '../dead-letters/letters/letter.ts';
import { readEarlierRecord } from '../message/dead-letter.ts';
import { parseInstant } from '../message/instant.ts';
import type { Finding } from './finding.ts';

export function letterFinding(letter: Letter): Finding {
  const { message, record, update, arrivedAt, reason, errorName, errorStatus, errorMessage } = letter;
  const { Description, TaskConfigurationId, IssuedAt } = update.ok ? update.update : {};
  const { originalMessageId } = readEarlierRecord(message);
  const ids = [originalMessageId, record?.sourceMessageId, message.messageId];
  return {
    source: 'dead-letters',
    messageIds: ids.filter((id): id is string => id !== undefined && id !== ''),
    jobId: letter.jobId,
    requestId: letter.requestId,
    values: update.ok
      ? {
          ...(Description !== undefined && { Description }),
          ...(TaskConfigurationId !== undefined && { TaskConfigurationId }),
        }
      : undefined,
    decidedAt: parseInstant(IssuedAt),
    sentAt: parseInstant(record?.sentAt) ?? message.sentAt,
    end: {
      state: 'dead-lettered',
      at: arrivedAt,
      reason: reason === 'foreign' ? 'moved there by something else than a worker' : reason,
      error: {
        name: errorName,
        message: errorMessage,
        ...(errorStatus !== undefined && { status: errorStatus }),
      },
      ...(record !== undefined && { attempts: record.attempts }),
    },
    letter: { messageId: message.messageId, arrivedAt, redriveCount: letter.redriveCount },
    steps: [],
  };
}
