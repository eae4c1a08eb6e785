import { type Arrival, type CreateRule, changedRule, type Grant, type Rule } from './rule.ts';
import type { LimitSettings, SettingsOf } from './settings.ts';

/** Lets a call through if each of its rules does. If one refuses, nothing is taken from the others. */
export class Every implements Rule {
  readonly #create: CreateRule;
  #rules: readonly Rule[];

  constructor(settings: SettingsOf<'all'>, at: number, create: CreateRule) {
    this.#create = create;
    this.#rules = settings.limits.map((limit) => create(limit, at));
  }

  offer(call: Arrival): Grant | null {
    const grants: Grant[] = [];
    for (const rule of this.#rules) {
      const grant = rule.offer(call);
      if (grant === null) return null;
      grants.push(grant);
    }
    return {
      take: () => {
        for (const grant of grants) grant.take();
      },
    };
  }

  /** Matched by their position. */
  change(settings: LimitSettings, at: number): boolean {
    if (settings.kind !== 'all') return false;
    this.#rules = settings.limits.map((limit, index) =>
      changedRule(this.#rules[index], limit, at, this.#create),
    );
    return true;
  }
}
