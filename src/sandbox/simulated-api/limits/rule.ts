import type { LimitSettings } from './settings.ts';

/** A call as it arrives. */
export interface Arrival {
  /** Milliseconds from any fixed origin. */
  readonly at: number;
  /** The connection that it came over: a whole number from 0. */
  readonly connection: number;
}

/** A rule's offer for one call. */
export interface Grant {
  /** Uses the offer; call this immediately or not at all. */
  take(): void;
}

/** One part of a limit. Offering and taking are separate steps, so that several rules can agree on a call. */
export interface Rule {
  /** What the call would use; null if nothing is left for it. */
  offer(call: Arrival): Grant | null;
  /**
   * Takes other figures from `at` on; what is used stays used, as far as the new figures can represent it.
   * @returns false, without changing anything, if the figures are of another kind.
   */
  change(settings: LimitSettings, at: number): boolean;
}

/** Creates a rule with nothing used. */
export type CreateRule = (settings: LimitSettings, at: number) => Rule;

/** `rule` with other figures; if they are of another kind, a new rule. */
export function changedRule(
  rule: Rule | undefined,
  settings: LimitSettings,
  at: number,
  create: CreateRule,
): Rule {
  return rule?.change(settings, at) ? rule : create(settings, at);
}
