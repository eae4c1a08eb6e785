import { type Arrival, type CreateRule, changedRule, type Grant, type Rule } from './rule.ts';
import type { LimitSettings, SettingsOf } from './settings.ts';

/** Front ends, each with its part of a limit. */
export class FrontEnds implements Rule {
  readonly #create: CreateRule;
  readonly #random: () => number;
  #sticky: boolean;
  #parts: readonly Rule[];

  constructor(
    settings: SettingsOf<'frontEnds'>,
    at: number,
    surroundings: { readonly create: CreateRule; readonly random: () => number },
  ) {
    this.#create = surroundings.create;
    this.#random = surroundings.random;
    this.#sticky = settings.sticky;
    this.#parts = this.#partsOf(settings, at, []);
  }

  offer(call: Arrival): Grant | null {
    const { length } = this.#parts;
    const chosen = this.#sticky ? call.connection % length : Math.floor(this.#random() * length);
    return this.#parts[chosen]?.offer(call) ?? null;
  }

  /** New front ends begin with nothing used. */
  change(settings: LimitSettings, at: number): boolean {
    if (settings.kind !== 'frontEnds') return false;
    this.#parts = this.#partsOf(settings, at, this.#parts);
    this.#sticky = settings.sticky;
    return true;
  }

  #partsOf(settings: SettingsOf<'frontEnds'>, at: number, before: readonly Rule[]): Rule[] {
    return Array.from({ length: settings.count }, (_, index) =>
      changedRule(before[index], partOf(settings, index), at, this.#create),
    );
  }
}

function partOf({ count, limit }: SettingsOf<'frontEnds'>, index: number): LimitSettings {
  if (limit.kind === 'bucket') {
    const burst = Math.max(1, limit.burst / count);
    return { ...limit, ratePerSecond: limit.ratePerSecond / count, burst };
  }
  // Whole calls that add up to the limit, if each front end has at least one.
  const upTo = (parts: number): number => Math.floor((parts * limit.calls) / count);
  return { ...limit, calls: Math.max(1, upTo(index + 1) - upTo(index)) };
}
