/** What a plan is made with: the user's options, and the environment. */
import type { Readable } from 'node:stream';
import type { ColumnFlags } from '../../input/columns.ts';
import type { Format } from '../../input/row.ts';
import type { OtaReader } from '../../ota/reader.ts';
import type { Progress } from '../../text/progress.ts';
import type { Clock } from '../../time/clock.ts';
import type { MeasuredRate } from '../ledger/job.ts';
import type { Conditions } from './conditions.ts';
import type { TaskChange } from './format.ts';

/** The source of the rows: a path (`-` for stdin), or live tasks. */
export type PlanFrom =
  | {
      readonly file: string;
      /** The user's name for it, if that is not its path. */
      readonly name?: string;
      readonly format: Format | undefined;
      readonly columns: ColumnFlags;
    }
  | { readonly conditions: Conditions };

export interface PlanOptions {
  readonly from: PlanFrom;
  /** Values to set on every row. */
  readonly set: TaskChange;
  readonly jobId: string;
  /** The path for the plan. */
  readonly out: string;
  /** Replace an existing plan. */
  readonly force: boolean;
  /** Read every task before planning its row. */
  readonly refresh: boolean;
  /** Look up the task configurations that are set. */
  readonly look: boolean;
  /** The file for refused rows; if omitted, beside the input file or named after the job. */
  readonly refusedFile: string | undefined;
  /** Calls per second; `Infinity` for no limit. */
  readonly rateLimit: number;
  /** Maximum number of reads in flight. */
  readonly maxConcurrency: number;
}

export interface PlanContext {
  readonly stdin: Readable;
  readonly cwd: string;
  readonly clock: Clock;
  /** Aborts when the user interrupts. */
  readonly signal: AbortSignal;
  /** Used only for live tasks, for a refresh and for task configurations. */
  readonly reader: Pick<OtaReader, 'get' | 'list' | 'configuration'>;
  /** Resolves after `ms`, or immediately when `signal` aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly progress: Progress;
  /** Prints a line before the result. */
  readonly say: (line: string) => void;
  /** The findings of `check`, one line each; it runs while the plan is made. */
  readonly check: () => Promise<readonly string[]>;
  /** How fast the rows of the latest jobs ended. */
  readonly measuredRate: () => Promise<MeasuredRate | undefined>;
}
