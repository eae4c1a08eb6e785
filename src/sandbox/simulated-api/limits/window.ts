import type { Arrival, Grant, Rule } from './rule.ts';
import type { LimitSettings, SettingsOf } from './settings.ts';

/** Expired times are removed together once there are this many. */
const REMOVED_AT_ONCE = 1024;

/** Remembers when it let calls through, as far back as the present window reaches. */
export class Window implements Rule, Grant {
  #settings: SettingsOf<'window'>;
  /** In order. Those before `#first` are before the present window. */
  readonly #times: number[] = [];
  #first = 0;
  /** The latest time seen: a clock that steps back does not reopen an earlier window. */
  #latest: number;

  constructor(settings: SettingsOf<'window'>, at: number) {
    this.#settings = settings;
    this.#latest = at;
  }

  offer({ at }: Arrival): Grant | null {
    this.#forget(at);
    return this.#times.length - this.#first < this.#settings.calls ? this : null;
  }

  take(): void {
    this.#times.push(this.#latest);
  }

  change(settings: LimitSettings, at: number): boolean {
    if (settings.kind !== 'window') return false;
    this.#forget(at);
    this.#settings = settings;
    return true;
  }

  #forget(at: number): void {
    this.#latest = Math.max(this.#latest, at);
    const { periodMs, sliding } = this.#settings;
    // A sliding window includes its end but not its beginning: a call counts for exactly one period.
    const isOver: (time: number) => boolean = sliding
      ? (time) => this.#latest - time >= periodMs
      : (time) => Math.floor(time / periodMs) < Math.floor(this.#latest / periodMs);
    while (this.#first < this.#times.length && isOver(this.#times[this.#first] ?? 0)) this.#first += 1;
    if (this.#first < REMOVED_AT_ONCE) return;
    this.#times.splice(0, this.#first);
    this.#first = 0;
  }
}
