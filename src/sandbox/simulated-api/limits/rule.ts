import type { LimitSettings } from './settings.ts';

/** A call as it arrives. */
export interface Arrival {
  /** Milliseconds from any fixed origin. */
  readonly at: number;
  /** Which connection it came over: a whole number from 0. */
  readonly connection: number;
}

/** What a rule holds ready for one call. */
export interface Grant {
  /** Uses it; to be called at once or not at all. */
  take(): void;
}

/** One part of a limit. That it is asked first and taken from later lets several agree on a call. */
export interface Rule {
  /** What the call would use; null if there is nothing left for it. */
  offer(call: Arrival): Grant | null;
  /**
   * Takes other figures from `at` on; what is used stays used, as far as the new figures can hold it.
   * @returns false, and nothing is changed, if they are of another kind.
   */
  change(settings: LimitSettings, at: number): boolean;
}

/** Makes a rule of which nothing is used. */
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
