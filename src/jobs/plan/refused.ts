/** Refused rows, for the report beside the plan and for the summary. */
import { RefusedFile } from '../../input/refused.ts';
import type { RefusedRow } from '../../input/validate.ts';
import { Reasons } from './reasons.ts';
import type { LeftOut } from './staging.ts';

export class Refused {
  readonly file: RefusedFile;
  readonly reasons = new Reasons();

  /** @param path see RefusedFile. */
  constructor(path: string) {
    this.file = new RefusedFile(path);
  }

  /** @returns the row as a plan leaves it out. */
  add(row: RefusedRow): LeftOut {
    this.file.add(row);
    this.reasons.add(row);
    const { line, reason, identifier: Identifier } = row;
    return { line, leftOut: 'refused', reason, ...(Identifier !== undefined && { Identifier }) };
  }
}
