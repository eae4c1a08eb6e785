/** Which task configurations a plan replaces by which, and what that changes. */
import { changesBetween, type SettingChange } from '../../configs/settings.ts';
import type { OtaConfiguration } from '../../ota/answers.ts';
import type { ChangeRow } from './format.ts';
import type { ConfigurationGetter } from './look.ts';

export interface ConfigurationChange {
  /** The configuration before; '' for none, undefined where it is not known. */
  readonly from: string | undefined;
  readonly to: string;
  readonly rows: number;
  /** What the two say differently; undefined where one of them was not looked at, or is no more. */
  readonly settings: readonly SettingChange[] | undefined;
  /** It could be compared, and was left out, since so many others have more rows: `configs diff` compares any two. */
  readonly leftOut?: true;
}

/** Pairs that are told apart; a fleet has few configurations. */
const MAX_PAIRS = 200;
/** Pairs of which it is told what changes: two calls each, at most. */
export const MAX_COMPARED = 5;

/** Counts the rows by pair, in bounded memory. */
export class ConfigurationPairs {
  readonly #pairs = new Map<string, { from: string | undefined; to: string; rows: number }>();
  #others = 0;

  /** A row to change. */
  add({ TaskConfigurationId: to, Former }: Pick<ChangeRow, 'TaskConfigurationId' | 'Former'>): void {
    if (to === undefined) return;
    const from = Former?.TaskConfigurationId;
    const key = JSON.stringify([from, to]);
    const known = this.#pairs.get(key);
    if (known !== undefined) known.rows++;
    else if (this.#pairs.size < MAX_PAIRS) this.#pairs.set(key, { from, to, rows: 1 });
    else this.#others++;
  }

  /** Rows of pairs that are not told apart. */
  get others(): number {
    return this.#others;
  }

  /**
   * The pairs, those with most rows first, and for the first few what changes.
   * @param found configurations that are known already; those that are read are added.
   * @param reader undefined: nothing is read.
   */
  async compared(
    found: Map<string, OtaConfiguration>,
    reader: ConfigurationGetter | undefined,
  ): Promise<readonly ConfigurationChange[]> {
    const pairs = [...this.#pairs.values()].toSorted((a, b) => b.rows - a.rows);
    const changes: ConfigurationChange[] = [];
    for (const [i, { from, to, rows }] of pairs.entries()) {
      const can = reader !== undefined && from !== undefined && from !== '';
      const settings = can && i < MAX_COMPARED ? await compare(from, to, found, reader) : undefined;
      changes.push({ from, to, rows, settings, ...(can && i >= MAX_COMPARED && { leftOut: true }) });
    }
    return changes;
  }
}

async function compare(
  from: string,
  to: string,
  found: Map<string, OtaConfiguration>,
  reader: ConfigurationGetter,
): Promise<readonly SettingChange[] | undefined> {
  const both: OtaConfiguration[] = [];
  for (const id of [from, to]) {
    const known = found.get(id) ?? (await read(id, reader));
    if (known === undefined) return undefined;
    found.set(id, known);
    both.push(known);
  }
  const [before = {}, after = {}] = both;
  return changesBetween(before, after, 'without-texts');
}

async function read(id: string, reader: ConfigurationGetter): Promise<OtaConfiguration | undefined> {
  const answer = await reader.configuration(id);
  return answer.ok ? answer.value : undefined;
}
