/** Reads an update from a message body: bare, or in an envelope of SNS, EventBridge or CloudEvents. PURE. */
import { epochMs } from '../time/instant.ts';
import { DEAD_LETTER_ATTRIBUTE, readEarlierRecord } from './dead-letter.ts';
import { readPayload } from './envelopes.ts';
import type { Message } from './message.ts';
import { checkUpdate, idsOf, type UpdateCheck } from './update.ts';

/** The update in a message, or why there is none. Never throws. */
export function parseMessage(message: Message, sentAt = message.sentAt): UpdateCheck {
  const check = parseBody(message.body, sentAt);
  if (message.fault === undefined) return check;
  return { ok: false, message: `the message cannot be read: ${message.fault}`, ids: idsOf(check) };
}

/**
 * Reads the update in a message body.
 * @param body untrusted.
 * @param sentAt when the message was sent, in epoch milliseconds.
 * @returns the update, or why the body is not valid. Never throws.
 */
export function parseBody(body: string, sentAt: number): UpdateCheck {
  const payload = readPayload(body);
  if (!payload.ok) return { ...payload, ids: {} };
  const check = checkUpdate(payload.value, sentAt);
  return check.ok && payload.eventAt !== undefined ? { ...check, eventAt: payload.eventAt } : check;
}

/**
 * When an update was decided on, in epoch milliseconds:
 * - its `IssuedAt`;
 * - else when its message was first sent, which a redrive keeps (see {@link readEarlierRecord}), or when the event around it
 *   happened, if that is earlier: a replay of EventBridge and a retry of SNS send the message anew.
 */
export function decidedAt({ update, eventAt }: Extract<UpdateCheck, { ok: true }>, message: Message): number {
  const issued = update.IssuedAt === undefined ? Number.NaN : epochMs(update.IssuedAt);
  if (!Number.isNaN(issued)) return issued;
  const sentAt = firstSentAt(message);
  return eventAt === undefined || eventAt >= sentAt ? sentAt : eventAt + withinSecond(eventAt, sentAt);
}

/**
 * EventBridge's times have no fraction of a second. For two events in one second, the sent times show which came first: a
 * tenth of the delay from event to sending is used as the time within the second.
 */
function withinSecond(eventAt: number, sentAt: number): number {
  return eventAt % 1_000 === 0 ? Math.min(999, Math.floor((sentAt - eventAt) / 10)) : 0;
}

function firstSentAt(message: Message): number {
  if (message.attributes[DEAD_LETTER_ATTRIBUTE] === undefined) return message.sentAt;
  const { sentAt } = readEarlierRecord(message);
  return sentAt === undefined ? message.sentAt : epochMs(sentAt);
}
