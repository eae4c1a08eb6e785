/** What a run is asked to do, and what it is given to do it with. */
import type { Readable } from 'node:stream';
import type { Format } from '../input/rows.ts';
import type { SetFields } from '../input/validate.ts';
import type { SendOptions } from '../sending/send.ts';
import type { Progress } from '../text/progress.ts';
import type { Clock } from '../time/clock.ts';

export interface EnqueueOptions {
  /** A path, or `-` for stdin. */
  readonly file: string;
  readonly format: Format | undefined;
  readonly set: SetFields;
  /** May be missing on a dry run only. */
  readonly queueUrl: string | undefined;
  readonly dryRun: boolean;
  /** Rows before this line are validated and not sent. */
  readonly fromLine: number;
  /** Where refused rows go; beside the file when omitted. */
  readonly refusedFile?: string;
}

export interface EnqueueContext {
  readonly stdin: Readable;
  readonly cwd: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly sleep: SendOptions['sleep'];
  /** Aborts when the user interrupts the run. */
  readonly signal: AbortSignal;
  readonly send: SendOptions['send'];
  readonly progress: Progress;
}
