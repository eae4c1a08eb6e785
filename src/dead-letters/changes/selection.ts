/** The letters of a redrive: those that match and may go back, counted beside those that may not. PURE. */
import { parseBody } from '../../message/parse.ts';
import { Groups } from '../letters/causes.ts';
import type { Filter } from '../letters/conditions.ts';
import type { Letter } from '../letters/letter.ts';
import { decideRedrive, type RedriveRules } from './decide.ts';
import type { Redriven } from './move.ts';
import { Refusals } from './refusals.ts';
import { Values } from './values.ts';

export interface SelectionReport {
  /** The message ids of the letters chosen. */
  readonly chosen: ReadonlySet<string>;
  /** Letters seen that match the conditions. */
  readonly matched: number;
  /** Letters that were dead-lettered again while the command ran: they are left where they are. */
  readonly cameBack: number;
  readonly refused: Refusals;
  /** The letters chosen, by cause. */
  readonly groups: Groups;
  /** The same, by what they change. */
  readonly values: Values;
}

export class Selection {
  /** Of the letters chosen in all passes. */
  readonly #messageIds = new Set<string>();
  readonly #matches: Filter;
  readonly #isBack: (letter: Letter) => boolean;
  readonly #groups = new Groups();
  readonly #values = new Values();
  #matched = 0;
  #cameBack = 0;
  #refused = new Refusals();

  /** @param isBack whether a letter was sent by this command, and is here again. */
  constructor(matches: Filter, isBack: (letter: Letter) => boolean = () => false) {
    this.#matches = matches;
    this.#isBack = isBack;
  }

  /** A pass sees the letters that the one before left, so it starts counting again; letters chosen before still count. */
  beginPass(): void {
    this.#matched = this.chosen;
    this.#cameBack = 0;
    this.#refused = new Refusals();
  }

  /** @param room letters that may still be chosen. @param now epoch milliseconds. */
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

  /** Letters chosen in all passes. */
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
