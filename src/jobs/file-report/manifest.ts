/** The manifest of a filed report. PURE. */
import type { LeftOutCounts } from '../ledger/job.ts';
import type { RowCounts } from '../ledger/row-counts.ts';

export interface Manifest {
  /** Raised by every change that a reader must know of. */
  readonly manifest: 1;
  readonly jobId: string;
  /** ISO 8601, UTC. */
  readonly filedAt: string;
  /** `user@host`. */
  readonly filedBy: string;
  readonly program: string;
  /** null: the ledger has outcomes of this job and not its plan. */
  readonly plan: {
    /** Of the plan file: `sha256:` and hex. */
    readonly digest: string;
    readonly source: string;
    readonly issuedAt: string;
    /** The job that this one undoes. */
    readonly undoes: string | null;
    /** null: of a job of an earlier release. */
    readonly leftOut: LeftOutCounts | null;
  } | null;
  /** Of the ledger, after the files were written. Rows that ended meanwhile are in the counts, and may not be in the files. */
  readonly counts: RowCounts;
  readonly files: readonly FiledFile[];
}

export interface FiledFile {
  readonly name: string;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
  /** Those that the plan left out included. */
  readonly rows: number;
  /** The same by the report's column `State`. */
  readonly byState: Readonly<Record<string, number>>;
}
