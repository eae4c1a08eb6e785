/** The flags that bound a job's sending. */
import type { Command } from 'commander';
import { misuse } from '../../cli/flags.ts';
import { shortPrintable } from '../../text/printable.ts';
import type { Guards } from '../ledger/types.ts';
import { parseAbortRule } from '../run/guards.ts';

export interface GuardFlags {
  readonly canary?: string;
  readonly abortWhen?: string;
  readonly window?: string;
  readonly json?: boolean;
}

export const exitCodesHelp =
  '\nExit codes: 0 all applied or superseded, 1 failed, 2 misuse, 3 some rows failed,\n' +
  '4 stopped by --canary or --abort-when, 130 interrupted.';

/** They are kept with the job: a resume keeps to them, or changes them. */
export function addGuardOptions(command: Command): Command {
  return command
    .option('--canary <n>', 'send so many rows first, and the rest only when all of them ended well')
    .option(
      '--abort-when <rule>',
      "stop sending when too many failed: 'failed>2%/200' is 2% of at least 200 ended",
    )
    .option('--window <n>', 'rows sent and not ended at most (default: 200, or 10 s of the present rate)')
    .option('--json', 'print where the job stands as one JSON object')
    .addHelpText('after', exitCodesHelp);
}

export function readGuards({ canary, abortWhen, window }: GuardFlags): Guards {
  return {
    ...(canary !== undefined && { canary: count('--canary', canary) }),
    ...(abortWhen !== undefined && { abortWhen: parseAbortRule(abortWhen) }),
    ...(window !== undefined && { window: count('--window', window) }),
  };
}

function count(flag: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw misuse(`${flag} ${shortPrintable(text)}: must be a number of rows, from 1.`);
}
