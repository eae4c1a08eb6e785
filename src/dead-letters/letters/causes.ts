/** Letters by their cause, in bounded memory. PURE. */
import { hash } from 'node:crypto';
import type { Letter, LetterReason } from './letter.ts';

/** Number of causes counted separately per pass; letters of further causes are counted together. */
const MAX_GROUPS = 500;

/** How many characters of an error message distinguish causes. */
const MAX_MESSAGE = 200;

export interface Cause {
  /** Short name of the cause, for `--where group=…`; the same in every pass. */
  readonly group: string;
  readonly reason: LetterReason;
  readonly errorName: string;
  readonly errorStatus: number | undefined;
}

export interface Group extends Cause {
  readonly count: number;
  /** Earliest and latest arrival, in epoch milliseconds. */
  readonly first: number;
  readonly last: number;
  /** How many of them had already been redriven. */
  readonly redriven: number;
  readonly example: Example;
}

interface Example {
  readonly messageId: string;
  readonly identifier: string | undefined;
  readonly errorMessage: string;
}

/** What letters of one cause have in common: reason, error, and the message without ids and numbers. */
export function causeOf(letter: Letter): Cause {
  const { reason, errorName, errorStatus, errorMessage } = letter;
  const pattern = withoutIds(errorMessage, letter);
  const group = hash('sha256', JSON.stringify([reason, errorName, errorStatus ?? null, pattern]), 'hex');
  return { group: group.slice(0, 8), reason, errorName, errorStatus };
}

/** The message without ids and numbers, so that the same fault gives the same text for two tasks. */
function withoutIds(message: string, { identifier, jobId, requestId, message: { messageId } }: Letter) {
  let text = message.slice(0, 4 * MAX_MESSAGE);
  for (const id of [identifier, requestId, jobId, messageId]) {
    if (id !== undefined && id.length > 2) text = text.replaceAll(id, '…');
  }
  return text
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '…')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, '…')
    .replace(/\d+/g, '…')
    .slice(0, MAX_MESSAGE);
}

/** Counts letters by cause. */
export class Groups {
  readonly #groups = new Map<string, Group>();
  readonly #maxGroups: number;
  #others = 0;

  constructor(maxGroups = MAX_GROUPS) {
    this.#maxGroups = maxGroups;
  }

  add(letter: Letter): void {
    const cause = causeOf(letter);
    const before = this.#groups.get(cause.group);
    const redriven = letter.redriveCount > 0 ? 1 : 0;
    const { arrivedAt } = letter;
    if (before !== undefined) {
      this.#groups.set(cause.group, {
        ...before,
        count: before.count + 1,
        first: Math.min(before.first, arrivedAt),
        last: Math.max(before.last, arrivedAt),
        redriven: before.redriven + redriven,
      });
    } else if (this.#groups.size < this.#maxGroups) {
      const { identifier, errorMessage, message } = letter;
      const example = {
        messageId: message.messageId,
        identifier,
        errorMessage: errorMessage.slice(0, 1_000),
      };
      this.#groups.set(cause.group, {
        ...cause,
        count: 1,
        first: arrivedAt,
        last: arrivedAt,
        redriven,
        example,
      });
    } else {
      this.#others++;
    }
  }

  /** Largest first. */
  all(): Group[] {
    return [...this.#groups.values()].sort((a, b) => b.count - a.count || a.first - b.first);
  }

  /** Letters of further causes. */
  get others(): number {
    return this.#others;
  }
}
