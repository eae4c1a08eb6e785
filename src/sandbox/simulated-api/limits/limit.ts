import { Bucket } from './bucket.ts';
import { Concurrency } from './concurrency.ts';
import { Every } from './every.ts';
import { FrontEnds } from './front-ends.ts';
import { type Arrival, type CreateRule, changedRule, type Rule } from './rule.ts';
import type { LimitSettings } from './settings.ts';
import { Window } from './window.ts';

/** A limit on calls, as APIs have it. A clock that steps back grants nothing more. */
export interface CallLimit {
  /** Whether the call is let through. */
  admit(call: Arrival): boolean;
  /** A call that was let through has been answered, or its client has gone. */
  ended(at: number): void;
  /**
   * Takes other settings from `at` on. What is used stays used, as far as the new limit can represent it: a bucket keeps its
   * tokens up to the new burst, a window its calls. A limit of another kind starts with only the calls in flight used.
   */
  change(settings: LimitSettings, at: number): void;
}

/**
 * A limit with nothing used.
 * @param at see {@link Arrival.at}. @param random uniform in [0, 1): used once for each call that goes to a random front end.
 */
export function createLimit(settings: LimitSettings, at: number, random: () => number): CallLimit {
  const inFlight = { calls: 0 };
  const create: CreateRule = (wanted, from) => {
    switch (wanted.kind) {
      case 'bucket':
        return new Bucket(wanted, from);
      case 'window':
        return new Window(wanted, from);
      case 'concurrency':
        return new Concurrency(wanted, inFlight);
      case 'frontEnds':
        return new FrontEnds(wanted, from, { create, random });
      case 'all':
        return new Every(wanted, from, create);
    }
  };
  let rule: Rule = create(settings, at);
  return {
    admit: (call) => {
      const grant = rule.offer(call);
      if (grant === null) return false;
      grant.take();
      inFlight.calls += 1;
      return true;
    },
    ended: () => {
      inFlight.calls -= 1;
    },
    change: (wanted, from) => {
      rule = changedRule(rule, wanted, from, create);
    },
  };
}
