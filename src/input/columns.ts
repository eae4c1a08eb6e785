/** The meaning of a file's columns: fields of an update, columns of our own files, or as the flags say. */
import { type CommandError, misuse } from '../errors.ts';
import { type Update, updateFields } from '../message/update.ts';
import { didYouMean, nearest } from '../text/nearest.ts';
import { printable, shortPrintable } from '../text/printable.ts';
import { shellLine } from '../text/shell.ts';
import { refusedColumns, reportColumns } from './own-columns.ts';

export type Field = keyof Update;

/** Flags about columns. A name refers to a column regardless of letter case and surrounding blanks. */
export interface ColumnFlags {
  /** `--column NAME=FIELD`. */
  readonly mapped: readonly (readonly [name: string, field: Field])[];
  /** `--ignore-column NAME`. */
  readonly ignored: readonly string[];
  /** `--where NAME=VALUE`: in each named column, a row must have one of the values. */
  readonly where: readonly (readonly [name: string, value: string])[];
}

export const noColumnFlags: ColumnFlags = { mapped: [], ignored: [], where: [] };

export interface Column {
  /** As in the file, without surrounding blanks. */
  readonly name: string;
  /** `unknown`: nobody has said what it is. `nameless`: must be empty. */
  readonly kind: 'field' | 'left-out' | 'nameless' | 'unknown';
  /** Its field. */
  readonly field?: Field;
  /** The values that rows may have in it, if `--where` names it. */
  readonly wanted?: ReadonlySet<string>;
}

/** Limit: a hostile file can name a million columns. */
const MAX_REMEMBERED = 1_000;

/** Determines the meaning of a column by its name; flags take precedence. */
export class Columns {
  /** The columns that `--where` names, by normalized name, with the values that rows may have. */
  readonly conditions: ReadonlyMap<string, ReadonlySet<string>>;
  readonly #flags: ColumnFlags;
  readonly #fields: ReadonlyMap<string, Field>;
  readonly #leftOut: ReadonlySet<string>;
  readonly #known = new Map<string, Column>();

  constructor(flags: ColumnFlags) {
    this.#flags = flags;
    const ignored = new Set(flags.ignored.map(compared));
    const fields = new Map<string, Field>(updateFields.map((field) => [compared(field), field]));
    for (const name of ignored) fields.delete(name);
    for (const [name, field] of flags.mapped) fields.set(compared(name), field);
    this.#fields = fields;
    const conditions = new Map<string, Set<string>>();
    for (const [name, value] of flags.where) {
      const values = conditions.get(compared(name));
      if (values === undefined) conditions.set(compared(name), new Set([value]));
      else values.add(value);
    }
    this.conditions = conditions;
    const own = [...refusedColumns, ...reportColumns].map(compared);
    this.#leftOut = new Set([...own, ...ignored, ...conditions.keys()]);
  }

  of(text: string): Column {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const column = this.#find(text);
    if (this.#known.size < MAX_REMEMBERED) this.#known.set(text, column);
    return column;
  }

  #find(text: string): Column {
    const name = text.trim();
    const key = compared(name);
    const field = this.#fields.get(key);
    const wanted = this.conditions.get(key);
    const rest = { name, ...(wanted !== undefined && { wanted }) };
    if (field !== undefined) return { ...rest, kind: 'field', field };
    if (this.#leftOut.has(key)) return { ...rest, kind: 'left-out' };
    return { ...rest, kind: name === '' ? 'nameless' : 'unknown' };
  }

  /**
   * The columns of a header.
   * @param set the fields that the run sets on every row.
   * @throws CommandError if a column is unknown or occurs twice, if a column that a flag names is missing, or if no
   * update can be made from the columns.
   */
  ofHeader(cells: readonly string[], file: HeaderPlace, set: ReadonlySet<string>): readonly Column[] {
    const columns = cells.map((cell) => this.of(cell));
    this.#requireNamed(columns, file);
    const unknown = columns.filter(({ kind }) => kind === 'unknown').map(({ name }) => name);
    const named = columns.filter(({ name }) => name !== '');
    // Most probably this is a row, and the file has no header.
    if (named.length > 0 && named.every(isStrange))
      throw headerFault(file, `it names no known column, and begins with ${listed(unknown)}`);
    const known = columns.flatMap(({ field }) => (field === undefined ? [] : [field]));
    if (unknown.length > 0) throw unknownColumns(guess(unknown, [...known, ...set]), file);
    requireUnique(columns, file);
    requireFields(columns, file, set);
    return columns;
  }

  #requireNamed(columns: readonly Column[], { name: file }: HeaderPlace): void {
    const names = columns.map(({ name }) => name).filter((name) => name !== '');
    const there = new Set(names.map(compared));
    const { mapped, where } = this.#flags;
    const flags = [
      ...mapped.map(([name, field]) => ['--column', name, `${name}=${field}`] as const),
      ...where.map(([name, value]) => ['--where', name, `${name}=${value}`] as const),
    ];
    for (const [flag, name, given] of flags) {
      if (there.has(compared(name))) continue;
      throw misuse(
        `${shellLine([flag, given])}: ${printable(file)} has no column "${shortPrintable(name)}".` +
          `${didYouMean(name, names)} Its columns are ${listed(names)}.`,
      );
    }
  }
}

export interface HeaderPlace {
  /** The user's name for the file. */
  readonly name: string;
  readonly line: number;
}

export function compared(name: string): string {
  return name.trim().toLowerCase();
}

/** Maximum number of columns listed in an error or a note. */
const MAX_LISTED = 10;

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MAX_LISTED).map((name) => `"${shortPrintable(name)}"`);
  const more = names.length - shown.length;
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

const THE_HEADER =
  `The columns are ${updateFields.join(', ')}; the first line must name them, ` +
  'separated by commas, semicolons or tabs.';

/** @param what the fault, without its full stop. */
export function headerFault({ name, line }: HeaderPlace, what: string, advice = THE_HEADER): CommandError {
  return misuse(`${printable(name)}, line ${line}: ${what}. ${advice}`);
}

/** Names that others give to the fields, in addition to those similar to ours. */
const otherNames: Readonly<Record<string, Field>> = {
  id: 'Identifier',
  task: 'Identifier',
  taskid: 'Identifier',
  otataskid: 'Identifier',
  config: 'TaskConfigurationId',
  configid: 'TaskConfigurationId',
  configuration: 'TaskConfigurationId',
  configurationid: 'TaskConfigurationId',
  taskconfig: 'TaskConfigurationId',
  taskconfigid: 'TaskConfigurationId',
  desc: 'Description',
};

/** The field that a column of this name may be. */
export function nearestField(name: string): Field | undefined {
  return otherNames[compared(name).replace(/[\s_-]/g, '')] ?? nearest(name, updateFields);
}

/** Neither known nor similar to a known name. */
function isStrange({ kind, name }: Column): boolean {
  return kind === 'unknown' && nearestField(name) === undefined;
}

/** Guesses about unknown columns. */
interface Guesses {
  /** `field` is undefined if the column does not seem to be one. */
  readonly columns: readonly { readonly name: string; readonly field: Field | undefined }[];
  /** Whether neither the unknown nor the known columns include Identifier. */
  readonly noIdentifier: boolean;
}

/**
 * For each unknown column in `names`, the field that its name resembles, unless another column is that field.
 * @param taken fields that have a column, or a value for all rows.
 */
function guess(names: readonly string[], taken: readonly string[]): Guesses {
  const found = new Set(taken);
  const columns = names.map((name) => {
    const field = nearestField(name);
    if (field === undefined || found.has(field)) return { name, field: undefined };
    found.add(field);
    return { name, field };
  });
  return { columns, noIdentifier: !found.has('Identifier') };
}

function unknownColumns({ columns, noIdentifier }: Guesses, file: HeaderPlace): CommandError {
  const names = columns.map(({ name }) => name);
  const which = noIdentifier ? ', and no column Identifier' : '';
  const what = `unknown ${names.length === 1 ? 'column' : 'columns'} ${listed(names)}${which}`;
  return headerFault(file, `${what}. ${advice({ columns, noIdentifier })}`);
}

function advice({ columns, noIdentifier }: Guesses): string {
  const flags = columns
    .slice(0, MAX_LISTED)
    .flatMap(({ name, field }) =>
      field === undefined ? ['--ignore-column', name] : ['--column', `${name}=${field}`],
    );
  if (columns.length > 1) {
    const line = shellLine(flags);
    if (!noIdentifier) return `To say what each one is, or to leave it out, add: ${line}`;
    const one = shellLine(['--column', 'NAME=Identifier']);
    return `Say which one it is: ${one}. To say what each other one is, or to leave it out, add: ${line}`;
  }
  const [{ name, field } = { name: '', field: undefined }] = columns;
  // Without an Identifier no row is an update, so a single unknown column is probably the Identifier.
  const meant = field ?? (noIdentifier ? 'Identifier' : undefined);
  const leave = shellLine(['--ignore-column', name]);
  if (meant === undefined) return `To leave it out, add: ${leave}`;
  return `Did you mean ${meant}? Then add: ${shellLine(['--column', `${name}=${meant}`])}; to leave it out: ${leave}`;
}

function requireUnique(columns: readonly Column[], file: HeaderPlace): void {
  for (const [i, { field, name }] of columns.entries()) {
    const before = columns.find((column, at) => at < i && field !== undefined && column.field === field);
    if (before === undefined) continue;
    const twice =
      before.name === name
        ? `the column ${shortPrintable(name)} occurs twice`
        : `the columns ${listed([before.name, name])} are both ${field}`;
    throw headerFault(file, twice, 'Remove one, or leave one out with --ignore-column NAME.');
  }
}

/** Without these columns, a file has no valid row. */
function requireFields(columns: readonly Column[], file: HeaderPlace, set: ReadonlySet<string>): void {
  const has = (field: Field): boolean => set.has(field) || columns.some((column) => column.field === field);
  const names = listed(columns.map(({ name }) => name).filter((name) => name !== ''));
  if (!has('Identifier')) {
    const flag = shellLine(['--column', 'NAME=Identifier']);
    throw headerFault(
      file,
      `there is no column Identifier, only ${names}`,
      `If one of them holds the Identifier, add: ${flag}.`,
    );
  }
  if (has('Description') || has('TaskConfigurationId')) return;
  throw headerFault(
    file,
    'there is nothing to change: there is no column Description or TaskConfigurationId',
    'Add one of them, or give a value for all rows, as in --set TaskConfigurationId=VALUE.',
  );
}
