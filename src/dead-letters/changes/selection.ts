/** The letters of a redrive: selects those that match and may go back, and counts those that may not. PURE. */
import { parseBody } from '../../message/parse.ts';
import { Groups } from '../letters/causes.ts';
import type { Filter } from '../letters/conditions.ts';
import type { Letter } from '../letters/letter.ts';
import { decideRedrive, type RedriveRules } from './decide.ts';
import type { Redriven } from './move.ts';
import { Refusals } from './refusals.ts';
import { Values } from './values.ts';

export interface SelectionReport {
  /** The message ids of the selected letters. */
  readonly chosen: ReadonlySet<string>;
  /** Letters seen that match the conditions. */
  readonly matched: number;
  /** Letters that were dead-lettered again while the command ran: they stay. */
  readonly cameBack: number;
  readonly refused: Refusals;
  /** The selected letters by cause. */
  readonly groups: Groups;
  /** The same by the values they set. */
  readonly values: Values;
}

export class Selection {
  /** Letters selected in all passes. */
  readonly #messageIds = new Set<string>();
  readonly #matches: Filter;
  readonly #isBack: (letter: Letter) => boolean;
  readonly #groups = new Groups();
  readonly #values = new Values();
  #matched = 0;
  #cameBack = 0;
  #refused = new Refusals();

  /** @param isBack whether this command sent the letter, and it has come back. */
  constructor(matches: Filter, isBack: (letter: Letter) => boolean = () => false) {
    this.#matches = matches;
    this.#isBack = isBack;
  }

  /**
   * A pass sees the letters that the previous one left, so counting starts again; letters selected before still count.
   */
  beginPass(): void {
    this.#matched = this.chosen;
    this.#cameBack = 0;
    this.#refused = new Refusals();
  }

  /** @param room how many more letters may be selected. @param now epoch milliseconds. */
  choose(letters: readonly Letter[], room: number, rules: RedriveRules, now: number): Redriven[] {
    const chosen: Redriven[] = [];
    for (const letter of letters) {
      if (this.#isBack(letter)) {
        this.#cameBack++;
        continue;
      }
      if (!this.#matches(letter, now)) continue;
      this.#matched++;
      const decision = decideRedrive(letter, rules);
      if (!decision.redrive) {
        this.#refused.add(letter, decision.why, decision.forcible);
      } else if (chosen.length < room) {
        const { message, bytes } = decision;
        chosen.push({ letter, message, bytes });
        this.#messageIds.add(letter.message.messageId);
        this.#groups.add(letter);
        const same = message.body === letter.message.body;
        this.#values.add(same ? letter.update : parseBody(message.body, now), letter.message.messageId);
      }
    }
    return chosen;
  }

  /** Letters selected in all passes. */
  get chosen(): number {
    return this.#messageIds.size;
  }

  get report(): SelectionReport {
    return {
      chosen: this.#messageIds,
      matched: this.#matched,
      cameBack: this.#cameBack,
      refused: this.#refused,
      groups: this.#groups,
      values: this.#values,
    };
  }
}
