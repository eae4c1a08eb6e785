/** The flags that say how a job is sent. */
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { collect, positiveNumber, wholeNumber } from '../../cli/flags.ts';
import { readReportPlace } from '../file-report/place.ts';
import { type GivenSettings, readGuards, type Unsettable, unsettableNames } from '../rules/given.ts';
import type { JobSettings } from '../rules/settings.ts';

export interface GuardFlags extends GivenSettings {
  readonly json?: boolean;
}

/** The settings are stored with the job: a resume keeps or changes them. */
export function addGuardOptions(command: Command): Command {
  return command
    .option(
      '--canary <amount>',
      'send so many rows first, as in 20 or 1%, a sample of all; the rest only if none of these failed',
    )
    .option(
      '--stages <list>',
      'send in stages, each when the one before has ended: 1%,10%,50%,100% or 500,+500 (again and again)',
    )
    .option(
      '--ramp <ramp>',
      'rows in flight: 50:x2/200 is 50 at first, and twice as many after 200 good ends',
    )
    .option('--soak <time>', 'between stages: wait so long, as in 10m')
    .option('--verify-each', 'between stages: wait for the devices of the stage; needs a rule on them')
    .option(
      '--verify-within <time>',
      'how long --verify-each waits before the job is paused, as in 2h (default: 1d)',
    )
    .option('--confirm-each', 'between stages: wait for `jobs resume`')
    .option(
      '--abort-when <rule>',
      "stop sending when too many failed: 'failed>2%/200' is 2% of at least 200 ended, 'failed>20' a number, " +
        "'failed:ERROR>1%/100' one error or kind, 'devices-failed>5%/500' devices (repeatable)",
      collect,
      [],
    )
    .option(
      '--undo-on-abort',
      "when a rule or the canary stops it: restore tasks' settings, not devices' firmware",
    )
    .option(
      '--window <n>',
      'rows in flight at most (default: what ends in 4 s, or while a row takes longer, 20 at least; fewer with --abort-when, or beside other jobs)',
      wholeNumber,
    )
    .option('--rate <n>', "rows sent per second at most, beside the workers' own limit", positiveNumber)
    .option('--priority <1-9>', 'its share beside other jobs that are being sent (default: 5)', wholeNumber)
    .option('--start-at <time>', 'send nothing before: 2026-12-01T01:00Z, the same with --tz, or 8h from now')
    .option('--between <window>', 'send only at this time of the day, as in 01:00-05:00; needs --tz')
    .option('--tz <zone>', 'the time zone of --between, --start-at and --deadline, as in Europe/Berlin')
    .option('--deadline <time>', 'send nothing from then on; given like --start-at')
    .option(
      '--report-to <place>',
      'file the report at its end: a folder of the machine that sends, or s3://BUCKET/PREFIX',
    )
    .option('--json', 'print where the job stands as one JSON object')
    .addHelpText(
      'after',
      '\nExit codes: 0 all applied or superseded, 1 failed, 2 misuse, 3 some rows failed,\n' +
        'or an undo was superseded, 4 stopped by a rule, its deadline or a person, 130 interrupted.',
    );
}

/**
 * The settings from the flags. A folder for reports is made absolute, since a process in another folder may file the report.
 * @throws CommandError if a setting is invalid.
 */
export function readGuardFlags(
  flags: GuardFlags,
  { clock, cwd }: Pick<CommandContext, 'clock' | 'cwd'>,
): JobSettings {
  const settings = readGuards(flags, clock.wall());
  const { reportTo } = settings;
  if (reportTo === undefined || readReportPlace('--report-to', reportTo).kind !== 'folder') return settings;
  return { ...settings, reportTo: resolve(cwd, reportTo) };
}

export interface UnsetFlags {
  readonly unset: readonly Unsettable[];
}

/** Settings by the flags that set them. */
const unsettableFlags: ReadonlyMap<string, Unsettable> = new Map(
  unsettableNames.map((name) => [name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`), name]),
);

export function addUnsetOption(command: Command): Command {
  const option = new Option(
    '--unset <flag>',
    'take back what that flag has set, as in --unset rate (repeatable)',
  )
    .choices([...unsettableFlags.keys()])
    .default([]);
  const check = option.parseArg;
  // Commander's own choices would keep only the last value.
  option.argParser((text: string, before: readonly Unsettable[]) => {
    check?.(text, undefined);
    const setting = unsettableFlags.get(text);
    return setting === undefined ? before : [...before, setting];
  });
  return command.addOption(option);
}
