/** A row of a file: an update, or the reason why it is not one. */
import type { Update } from '../message/update.ts';
import type { ColumnFlags, Field } from './columns.ts';

/**
 * `jsonl`: one object per line. `json`: an array of objects, or objects one after the other, on any lines.
 */
export const formats = ['csv', 'json', 'jsonl'] as const;
export type Format = (typeof formats)[number];

/** One row: an update, or the reason why it is not one. */
export type InputRow = GoodRow | RefusedRow;

interface SourceText {
  /** Its line in the file, from 1; the first one if the row has several lines. */
  readonly line: number;
  /** The row's own text. */
  readonly raw: string;
}

export interface GoodRow extends SourceText {
  readonly update: Update;
}

/** Values by field, of any length and content. */
type Values = { readonly [Name in Field]?: string | undefined };

export interface RefusedRow extends SourceText {
  readonly reason: string;
  /** Its fields that are text, as far as they could be read, and the fields that the run sets. */
  readonly values?: Values;
}

/** Fields that a run sets on every row. */
export type SetFields = Readonly<Partial<Record<Field, string>>>;

export interface RowsInput {
  /** The user's name for the file. */
  readonly name: string;
  readonly format: Format;
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly flags?: ColumnFlags;
}

/** A row by its fields, not validated yet. */
export interface RowFields extends SourceText {
  readonly fields: Readonly<Partial<Record<Field, unknown>>>;
}
