/** The values that a redrive sends, counted: read from the bodies that are sent, and from nothing that a record says. PURE. */
import type { UpdateCheck } from '../../message/update.ts';

/** Different values that are kept apart; those that come later are counted together. */
const MAX_DISTINCT = 1_000;

/** Values and how many letters have them; both undefined: those letters hold no valid update. */
export interface ValueCount {
  readonly Description: string | undefined;
  readonly TaskConfigurationId: string | undefined;
  readonly letters: number;
  /** An Identifier of one of these letters, or else its message id. */
  readonly example: string;
}

export class Values {
  readonly #counts = new Map<string, { -readonly [Key in keyof ValueCount]: ValueCount[Key] }>();
  /** Letters with values beyond those that are kept apart. */
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

  /** The most frequent first. */
  all(): readonly ValueCount[] {
    return [...this.#counts.values()].sort((a, b) => b.letters - a.letters);
  }
}
