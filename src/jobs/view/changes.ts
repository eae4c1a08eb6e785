/**
 * What a plan changes, from old values to new ones, as shown to a person before it is sent. In bounded memory.
 */
import { number } from '../../text/numbers.ts';
import { shortPrintable } from '../../text/printable.ts';
import { changeFields, isUndoable } from '../plan/decisions.ts';
import type { ChangeRow, LeftOutRow } from '../plan/format.ts';

/** Number of different changes counted separately, per field. */
const MAX_KNOWN = 1_000;
/** Of these, the most frequent are shown. */
const MAX_SHOWN = 5;
const MAX_VALUE = 30;

type Field = (typeof changeFields)[number];

export class ChangeTally {
  readonly #byField = new Map<Field, { readonly known: Map<string, number>; others: number }>();
  #rows = 0;
  #undoable = 0;

  add(row: ChangeRow | LeftOutRow): void {
    if ('LeftOut' in row) return;
    this.#rows++;
    for (const field of changeFields) {
      const wanted = row[field];
      if (wanted === undefined) continue;
      this.#count(field, `${shown(row.Former?.[field])} -> ${shown(wanted)}`);
    }
    if (isUndoable(row)) this.#undoable++;
  }

  #count(field: Field, change: string): void {
    const of = this.#byField.get(field) ?? { known: new Map<string, number>(), others: 0 };
    this.#byField.set(field, of);
    const before = of.known.get(change);
    if (before === undefined && of.known.size === MAX_KNOWN) of.others++;
    else of.known.set(change, (before ?? 0) + 1);
  }

  /** Rows whose former values were all read, so that they can be undone. */
  get undoable(): number {
    return this.#undoable;
  }

  get rows(): number {
    return this.#rows;
  }

  /** One line per change, most frequent first, under the name of its field. */
  lines(): string[] {
    return [...this.#byField].flatMap(([field, { known, others }]) => {
      const changes = [...known].toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
      const rest = changes.slice(MAX_SHOWN);
      const unshown = others + rest.reduce((sum, [, rows]) => sum + rows, 0);
      const lines = changes
        .slice(0, MAX_SHOWN)
        .map(([change, rows]) => `${number(rows).padStart(13)}  ${change}`);
      if (unshown > 0) lines.push(`${number(unshown).padStart(13)}  other changes`);
      return [`  ${field}`, ...lines];
    });
  }
}

function shown(value: string | undefined): string {
  if (value === undefined) return '(not read)';
  return value === '' ? '(none)' : shortPrintable(value, MAX_VALUE);
}
