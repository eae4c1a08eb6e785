/** Reads variables one by one, and collects those that cannot be used. PURE. */
import { type Environment, readVariable } from '../config/environment.ts';
import { pairsOf } from './pairs.ts';

/** A variable that is ignored, and why; without its value, which may be secret. */
export interface IgnoredVariable {
  readonly variable: string;
  readonly why: string;
}

export class VariableReader<Name extends string> {
  /** In the order in which they were read. */
  readonly ignored: IgnoredVariable[] = [];
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  /** undefined: not set, or ignored. */
  text(variable: Name): string | undefined {
    const { text, fault } = readVariable(this.#env, variable);
    if (fault !== undefined) this.#ignore(variable, fault);
    return text;
  }

  /** The first of the variables with a usable value. @param must the requirement reported for the others. */
  first<T>(
    variables: readonly Name[],
    read: (text: string, variable: Name) => T | undefined,
    must: string,
  ): T | undefined {
    for (const variable of variables) {
      const text = this.text(variable);
      if (text === undefined) continue;
      const value = read(text, variable);
      if (value !== undefined) return value;
      this.#ignore(variable, must);
    }
    return undefined;
  }

  /** In lower or upper case. */
  oneOf<T extends string>(variables: readonly Name[], all: readonly T[]): T | undefined {
    return this.first(
      variables,
      (text) => all.find((each) => each === text.toLowerCase()),
      `must be one of ${all.join(', ')}`,
    );
  }

  /**
   * The members of `all` that a list names, in lower or upper case. Empty for `none` alone, undefined if no entry can be used.
   * All other entries are reported and ignored, and so is a `none` beside others.
   */
  list<T extends string>(variable: Name, all: readonly T[]): readonly T[] | undefined {
    const parts = (this.text(variable) ?? '').split(',').map((part) => part.trim().toLowerCase());
    const named = new Set(parts.filter((part) => part !== ''));
    const none = named.delete('none');
    const used = all.filter((each) => named.has(each));
    if (named.size > used.length || (none && used.length > 0))
      this.#ignore(variable, `names more than ${all.join(', ')}, or \`none\` beside one of them`);
    return none || used.length > 0 ? used : undefined;
  }

  /** @param capped whether a larger number is reduced to `most`; that is reported too. */
  number(
    variables: readonly Name[],
    {
      least,
      most,
      whole = false,
      capped = false,
    }: { readonly least: number; readonly most: number; readonly whole?: boolean; readonly capped?: boolean },
    what: string,
  ): number | undefined {
    const read = (text: string, variable: Name): number | undefined => {
      if (whole && !/^\d+$/.test(text)) return undefined;
      const value = Number(text);
      if (capped && value > most) {
        this.#ignore(variable, `is over ${most} ${what}: the maximum of ${most} applies`);
        return most;
      }
      return value >= least && value <= most ? value : undefined;
    };
    return this.first(variables, read, `must be ${what} from ${least} to ${most}`);
  }

  /** Names and values; empty if not set, undefined if ignored. */
  pairs(
    variable: Name,
    canBeUsed: (name: string, value: string) => boolean = () => true,
  ): Record<string, string> | undefined {
    const before = this.ignored.length;
    const must = 'must be name=value,name=value, percent-encoded';
    const read = this.first([variable], (text) => pairsOf(text, canBeUsed), must);
    return this.ignored.length === before ? (read ?? {}) : undefined;
  }

  #ignore(variable: Name, why: string): void {
    this.ignored.push({ variable, why });
  }
}
