/** A row of a file: an update, or the reason why it is none. */
import type { Update } from '../message/update.ts';
import type { ColumnFlags, Field } from './columns.ts';

/** `jsonl`: an object a line. `json`: an array of objects, or objects one after the other, over any lines. */
export const formats = ['csv', 'json', 'jsonl'] as const;
export type Format = (typeof formats)[number];

/** One row: an update, or the reason why it is none. */
export type InputRow = GoodRow | RefusedRow;

interface SourceText {
  /** Its line in the file, from 1; of a row over several lines the first. */
  readonly line: number;
  /** The row's own text. */
  readonly raw: string;
}

export interface GoodRow extends SourceText {
  readonly update: Update;
}

/** Values by field, of whatever length and content. */
type Values = { readonly [Name in Field]?: string | undefined };

export interface RefusedRow extends SourceText {
  readonly reason: string;
  /** Those of its fields that are text, as far as it could be read, and what the run sets. */
  readonly values?: Values;
}

/** Fields that a run sets on every row. */
export type SetFields = Readonly<Partial<Record<Field, string>>>;

export interface RowsInput {
  /** What the user calls the file. */
  readonly name: string;
  readonly format: Format;
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly flags?: ColumnFlags;
}

/** A row by its fields, not checked yet. */
export interface RowFields extends SourceText {
  readonly fields: Readonly<Partial<Record<Field, unknown>>>;
}
