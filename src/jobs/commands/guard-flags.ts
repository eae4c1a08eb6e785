/** The flags that bound a job's sending. */
import type { Command } from 'commander';
import { wholeNumber } from '../../cli/flags.ts';
import type { Guards } from '../ledger/job.ts';
import { parseAbortRule } from '../run/guards.ts';

export interface GuardFlags {
  readonly canary?: number;
  readonly abortWhen?: string;
  readonly window?: number;
  readonly json?: boolean;
}

/** They are kept with the job: a resume keeps to them, or changes them. */
export function addGuardOptions(command: Command): Command {
  return command
    .option(
      '--canary <n>',
      'send this many rows first, a sample of all, and the rest only if none of these failed',
      wholeNumber,
    )
    .option(
      '--abort-when <rule>',
      "stop sending when too many failed: 'failed>2%/200' is 2% of at least 200 ended",
    )
    .option(
      '--window <n>',
      'rows in flight at most (default: 200, or 10 s of the present rate; fewer with --abort-when)',
      wholeNumber,
    )
    .option('--json', 'print where the job stands as one JSON object')
    .addHelpText(
      'after',
      '\nExit codes: 0 all applied or superseded, 1 failed, 2 misuse, 3 some rows failed,\n' +
        'or an undo was superseded, 4 stopped by --canary or --abort-when, 130 interrupted.',
    );
}

export function readGuards({ canary, abortWhen, window }: GuardFlags): Guards {
  return {
    ...(canary !== undefined && { canary }),
    ...(abortWhen !== undefined && { abortWhen: parseAbortRule(abortWhen) }),
    ...(window !== undefined && { window }),
  };
}
