/** Which task configurations a plan replaces with which others, and what that changes. */
import { changesBetween, type SettingChange } from '../../configs/settings.ts';
import type { OtaConfiguration } from '../../ota/answers.ts';
import type { ChangeRow } from './format.ts';
import type { ConfigurationGetter } from './look.ts';

export interface ConfigurationChange {
  /** The configuration before; '' for none, undefined if unknown. */
  readonly from: string | undefined;
  readonly to: string;
  readonly rows: number;
  /** The settings that differ; undefined if one of the two was not looked at, or no longer exists. */
  readonly settings: readonly SettingChange[] | undefined;
  /** Not compared because too many other pairs have more rows; `configs diff` compares any two. */
  readonly leftOut?: true;
}

/** Number of pairs counted separately; a fleet has few configurations. */
const MAX_PAIRS = 200;
/** Number of pairs that are compared, with two calls each at most. */
export const MAX_COMPARED = 5;

/** Counts the rows by pair, in bounded memory. */
export class ConfigurationPairs {
  readonly #pairs = new Map<string, { from: string | undefined; to: string; rows: number }>();
  #others = 0;

  /** Adds a row to change. */
  add({ TaskConfigurationId: to, Former }: Pick<ChangeRow, 'TaskConfigurationId' | 'Former'>): void {
    if (to === undefined) return;
    const from = Former?.TaskConfigurationId;
    const key = JSON.stringify([from, to]);
    const known = this.#pairs.get(key);
    if (known !== undefined) known.rows++;
    else if (this.#pairs.size < MAX_PAIRS) this.#pairs.set(key, { from, to, rows: 1 });
    else this.#others++;
  }

  /** Rows of pairs that are not counted separately. */
  get others(): number {
    return this.#others;
  }

  /**
   * The pairs, those with the most rows first; for the first few, also what changes.
   * @param found configurations already known; those that are read are added.
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
