/** What a plan is made by: what the user asked for, and the world that it is made in. */
import type { Readable } from 'node:stream';
import type { ColumnFlags } from '../../input/columns.ts';
import type { Format } from '../../input/row.ts';
import type { OtaReader } from '../../ota/reader.ts';
import type { Progress } from '../../text/progress.ts';
import type { Clock } from '../../time/clock.ts';
import type { MeasuredRate } from '../ledger/job.ts';
import type { Conditions } from './conditions.ts';
import type { TaskChange } from './format.ts';

/** Where the rows come from: a path (`-` for stdin), or live tasks. */
export type PlanFrom =
  | {
      readonly file: string;
      /** What the user calls it, where that is not its path. */
      readonly name?: string;
      readonly format: Format | undefined;
      readonly columns: ColumnFlags;
    }
  | { readonly conditions: Conditions };

export interface PlanOptions {
  readonly from: PlanFrom;
  /** Set on every row. */
  readonly set: TaskChange;
  readonly jobId: string;
  /** Where the plan goes. */
  readonly out: string;
  /** Replace a plan that is there. */
  readonly force: boolean;
  /** Read every task before it is planned. */
  readonly refresh: boolean;
  /** Look at the task configurations that are set. */
  readonly look: boolean;
  /** Where refused rows go; beside the file, or named after the job, when omitted. */
  readonly refusedFile: string | undefined;
  /** Calls per second; `Infinity` for no limit. */
  readonly rateLimit: number;
  /** Reads in flight at once. */
  readonly maxConcurrency: number;
}

export interface PlanContext {
  readonly stdin: Readable;
  readonly cwd: string;
  readonly clock: Clock;
  /** Aborts when the user interrupts. */
  readonly signal: AbortSignal;
  /** Used for live tasks, for a refresh and for task configurations only. */
  readonly reader: Pick<OtaReader, 'get' | 'list' | 'configuration'>;
  /** Resolves after `ms`, or at once when `signal` aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly progress: Progress;
  /** Prints a line before the result. */
  readonly say: (line: string) => void;
  /** What `check` finds, a line each; it runs while the plan is made. */
  readonly check: () => Promise<readonly string[]>;
  /** How fast the latest jobs went. */
  readonly measuredRate: () => Promise<MeasuredRate | undefined>;
}
