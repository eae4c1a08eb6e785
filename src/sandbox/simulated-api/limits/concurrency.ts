import type { Grant, Rule } from './rule.ts';
import type { LimitSettings, SettingsOf } from './settings.ts';

/** How many calls were let through and are not answered yet; counted by the limit as a whole. */
export interface InFlight {
  readonly calls: number;
}

/** Lets a call through while fewer than `calls` are in flight. */
export class Concurrency implements Rule, Grant {
  #settings: SettingsOf<'concurrency'>;
  readonly #inFlight: InFlight;

  constructor(settings: SettingsOf<'concurrency'>, inFlight: InFlight) {
    this.#settings = settings;
    this.#inFlight = inFlight;
  }

  offer(): Grant | null {
    return this.#inFlight.calls < this.#settings.calls ? this : null;
  }

  /** Takes nothing: the limit counts the calls. */
  take(): void {}

  change(settings: LimitSettings): boolean {
    if (settings.kind !== 'concurrency') return false;
    this.#settings = settings;
    return true;
  }
}
