/** Looks up task configurations one by one, as rows name them: for rows that are not known beforehand. */
import { explainRead } from '../../message/explain-read.ts';
import type { OtaConfiguration } from '../../ota/answers.ts';
import { type ConfigurationGetter, refusalOf } from './look.ts';

/** Beyond this number a configuration is looked up again: a fleet has few different values before a job. */
const MAX_KEPT = 1_000;

export class Looks {
  readonly #reader: ConfigurationGetter;
  readonly #refused = new Map<string, string>();
  /** The configurations that exist. */
  readonly found = new Map<string, OtaConfiguration>();
  #unlooked: string | undefined;
  #asked = false;

  constructor(reader: ConfigurationGetter) {
    this.#reader = reader;
  }

  /** Why no more are looked up, as a phrase; undefined: all were. */
  get unlooked(): string | undefined {
    return this.#unlooked;
  }

  /** Whether there was anything to look up. */
  get asked(): boolean {
    return this.#asked;
  }

  /**
   * Why this id must not be set, as a sentence without its full stop; undefined: it may be, or it could not be looked up.
   */
  async refusal(id: string): Promise<string | undefined> {
    this.#asked = true;
    if (this.#unlooked !== undefined || this.found.has(id)) return undefined;
    const known = this.#refused.get(id);
    if (known !== undefined) return known;
    const answer = await this.#reader.configuration(id);
    if (answer.ok) {
      if (this.found.size < MAX_KEPT) this.found.set(id, answer.value);
      return undefined;
    }
    const reason = refusalOf(id, answer.failure);
    if (reason === undefined) this.#unlooked = explainRead('GetOtaTaskConfiguration', answer.failure);
    else if (this.#refused.size < MAX_KEPT) this.#refused.set(id, reason);
    return reason;
  }
}
