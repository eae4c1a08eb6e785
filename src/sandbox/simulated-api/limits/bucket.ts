import type { Arrival, Grant, Rule } from './rule.ts';
import type { LimitSettings, SettingsOf } from './settings.ts';

/**
 * A token bucket, full at first. In any t seconds it grants at most `burst + ratePerSecond * t` tokens; with ticks, at most
 * `burst` plus the tokens of the ticks in that time.
 */
export class Bucket implements Rule, Grant {
  #settings: SettingsOf<'bucket'>;
  #tokens: number;
  #refilledAt: number;

  constructor(settings: SettingsOf<'bucket'>, at: number) {
    this.#settings = settings;
    this.#tokens = settings.burst;
    this.#refilledAt = at;
  }

  offer({ at }: Arrival): Grant | null {
    this.#refill(at);
    return this.#tokens < 1 ? null : this;
  }

  take(): void {
    this.#tokens -= 1;
  }

  /** Keeps the present tokens, up to the new burst. */
  change(settings: LimitSettings, at: number): boolean {
    if (settings.kind !== 'bucket') return false;
    this.#refill(at);
    this.#settings = settings;
    this.#tokens = Math.min(this.#tokens, settings.burst);
    return true;
  }

  #refill(at: number): void {
    // Also if the clock steps back: no time is granted for twice.
    if (at <= this.#refilledAt) return;
    const { ratePerSecond, burst, tickMs } = this.#settings;
    const passedMs =
      tickMs === 0
        ? at - this.#refilledAt
        : (Math.floor(at / tickMs) - Math.floor(this.#refilledAt / tickMs)) * tickMs;
    this.#tokens = Math.min(burst, this.#tokens + (passedMs * ratePerSecond) / 1000);
    this.#refilledAt = at;
  }
}
