/** Refused rows, for the report beside the plan and for the summary. */
import { RefusedFile } from '../enqueue/refused.ts';
import type { RefusedRow } from '../enqueue/validate.ts';
import { Reasons } from './plan-reasons.ts';

export class Refused {
  readonly file: RefusedFile;
  readonly reasons = new Reasons();

  /** @param path see RefusedFile. */
  constructor(path: string) {
    this.file = new RefusedFile(path);
  }

  add(row: RefusedRow): void {
    this.file.add(row);
    this.reasons.add(row);
  }
}
