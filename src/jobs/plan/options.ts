/** What making a plan is asked to do, and what it is given to do it with. */
import type { Readable } from 'node:stream';
import type { Format } from '../../input/rows.ts';
import type { OtaReader } from '../../ota/reader.ts';
import type { Progress } from '../../text/progress.ts';
import type { Clock } from '../../time/clock.ts';
import type { TaskChange } from './types.ts';
import type { Conditions } from './where.ts';

/** Where the rows come from: a path (`-` for stdin), or live tasks. */
export type PlanFrom =
  | { readonly file: string; readonly format: Format | undefined }
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
  /** Where refused rows go; beside the file, or named after the job, when omitted. */
  readonly refusedFile: string | undefined;
  /** Calls per second; `Infinity` for no limit. */
  readonly rateLimit: number;
  /** Reads under way at once. */
  readonly maxConcurrency: number;
}

export interface PlanContext {
  readonly stdin: Readable;
  readonly cwd: string;
  readonly clock: Clock;
  /** Aborts when the user interrupts. */
  readonly signal: AbortSignal;
  /** Used for live tasks and for a refresh only. */
  readonly reader: Pick<OtaReader, 'get' | 'list'>;
  readonly progress: Progress;
  /** Tells the user something before it is done. */
  readonly say: (line: string) => void;
  /** What `check` finds, a line each; may be asked while the plan is made. */
  readonly check: () => Promise<readonly string[]>;
}
