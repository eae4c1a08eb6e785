/** A message of the outcome queue to what the ledger stores. PURE. */
import type { Message } from '../../message/message.ts';
import { outcomeSchema } from '../../message/outcome.ts';
import type { Arrival } from '../ledger/outcome-store.ts';

/** Never throws: whatever is no outcome is a fault, with the message that has it. */
export function readOutcome({ messageId, body }: Pick<Message, 'messageId' | 'body'>): Arrival {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { fault: 'not JSON', messageId, body };
  }
  const parsed = outcomeSchema.safeParse(value);
  if (parsed.success) return { outcome: parsed.data };
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  return { fault: faults.slice(0, 3).join('; ').slice(0, 500), messageId, body };
}
