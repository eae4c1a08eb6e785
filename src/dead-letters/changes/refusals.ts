/** Letters that are not redriven, counted by reason. PURE. */
import type { BatchFailure } from '../../queue/types.ts';
import type { Letter } from '../letters/letter.ts';

export interface Refusal {
  readonly why: string;
  readonly count: number;
  /** `--force` would overrule it. */
  readonly forcible: boolean;
  readonly example: { readonly messageId: string; readonly identifier: string | undefined };
}

/**
 * Number of reasons counted separately. Letters may name any queue, so the number of reasons is unlimited.
 */
const MAX_REASONS = 50;

export class Refusals {
  readonly #byReason = new Map<string, Refusal>();

  add(letter: Letter, why: string, forcible: boolean): void {
    const { identifier, message } = letter;
    this.#count(why, forcible, { messageId: message.messageId, identifier });
  }

  /** A letter that SQS refused; the failure's key is its message id. */
  addFailure({ key, code, message }: BatchFailure): void {
    this.#count(`SQS: ${code} ${message.slice(0, 200)}`.trim(), false, {
      messageId: key,
      identifier: undefined,
    });
  }

  #count(why: string, forcible: boolean, example: Refusal['example']): void {
    const known = this.#byReason.get(why);
    const key = known !== undefined || this.#byReason.size < MAX_REASONS ? why : 'other reasons';
    const before = this.#byReason.get(key);
    this.#byReason.set(key, {
      why: key,
      count: (before?.count ?? 0) + 1,
      forcible,
      example: before?.example ?? example,
    });
  }

  /** Most frequent first. */
  all(): Refusal[] {
    return [...this.#byReason.values()].sort((a, b) => b.count - a.count);
  }

  get count(): number {
    return this.all().reduce((sum, { count }) => sum + count, 0);
  }
}
