/** The manifest of a filed report. PURE. */
import type { LeftOutCounts } from '../ledger/job.ts';
import type { RowCounts } from '../ledger/row-counts.ts';

export interface Manifest {
  /** Incremented by every change that a reader must know. */
  readonly manifest: 1;
  readonly jobId: string;
  /** ISO 8601, UTC. */
  readonly filedAt: string;
  /** `user@host`. */
  readonly filedBy: string;
  readonly program: string;
  /** null: the ledger has outcomes of this job but not its plan. */
  readonly plan: {
    /** The digest of the plan file: `sha256:` and hex. */
    readonly digest: string;
    readonly source: string;
    readonly issuedAt: string;
    /** The job that this one undoes. */
    readonly undoes: string | null;
    /** null for a job of an earlier release. */
    readonly leftOut: LeftOutCounts | null;
  } | null;
  /**
   * The ledger's counts after the files were written. They include rows that ended meanwhile, which may be missing in the
   * files.
   */
  readonly counts: RowCounts;
  readonly files: readonly FiledFile[];
}

export interface FiledFile {
  readonly name: string;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
  /** Including rows that the plan left out. */
  readonly rows: number;
  /** The rows by the report's column `State`. */
  readonly byState: Readonly<Record<string, number>>;
}
