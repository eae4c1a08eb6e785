/** Counts the values that a redrive sends. They are read only from the bodies that are sent, not from records. PURE. */
import type { UpdateCheck } from '../../message/update.ts';

/** Number of different values counted separately; later ones are counted together. */
const MAX_DISTINCT = 1_000;

/** Values and the number of letters with them; both undefined: these letters contain no valid update. */
export interface ValueCount {
  readonly Description: string | undefined;
  readonly TaskConfigurationId: string | undefined;
  readonly letters: number;
  /** An Identifier of one of these letters, or its message id. */
  readonly example: string;
}

export class Values {
  readonly #counts = new Map<string, { -readonly [Key in keyof ValueCount]: ValueCount[Key] }>();
  /** Letters with further values. */
  others = 0;

  add(check: UpdateCheck, messageId: string): void {
    const update = check.ok ? check.update : undefined;
    const { Description, TaskConfigurationId } = update ?? {};
    const key = JSON.stringify([Description ?? null, TaskConfigurationId ?? null]);
    const count = this.#counts.get(key);
    if (count !== undefined) count.letters++;
    else if (this.#counts.size === MAX_DISTINCT) this.others++;
    else {
      const example = update?.Identifier ?? messageId;
      this.#counts.set(key, { Description, TaskConfigurationId, letters: 1, example });
    }
  }

  /** Most frequent first. */
  all(): readonly ValueCount[] {
    return [...this.#counts.values()].sort((a, b) => b.letters - a.letters);
  }
}
