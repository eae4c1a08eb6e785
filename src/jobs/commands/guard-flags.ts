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
      'send this many rows first, as in 20 or 1%, as a sample of all; send the rest only if none of them fails',
    )
    .option(
      '--stages <list>',
      'send in stages, each after the one before has ended: 1%,10%,50%,100%, or 500,+500 (+500 repeats)',
    )
    .option('--ramp <ramp>', 'rows in flight: 50:x2/200 starts at 50 and doubles after every 200 good ends')
    .option('--soak <time>', 'between stages: wait this long, as in 10m')
    .option('--verify-each', 'between stages: wait for the devices of the stage; needs a devices-failed rule')
    .option(
      '--verify-within <time>',
      'how long --verify-each waits before the job is paused, as in 2h (default: 1d)',
    )
    .option('--confirm-each', 'between stages: wait for `jobs resume`')
    .option(
      '--abort-when <rule>',
      "stop sending when too many have failed: 'failed>2%/200' is more than 2% of at least 200 ended rows, " +
        "'failed>20' is more than 20 rows, 'failed:ERROR>1%/100' counts one error or kind, 'devices-failed>5%/500' devices (repeatable)",
      collect,
      [],
    )
    .option(
      '--undo-on-abort',
      "when a rule or the canary stops the job: restore tasks' settings, not devices' firmware",
    )
    .option(
      '--window <n>',
      'maximum rows in flight (default: as many as end in 4 s, or in the time that a row takes if that is longer; at least 20; fewer with --abort-when, or beside other jobs)',
      wholeNumber,
    )
    .option('--rate <n>', "maximum rows sent per second; the workers' own limit applies too", positiveNumber)
    .option('--priority <1-9>', 'its share when several jobs are being sent (default: 5)', wholeNumber)
    .option(
      '--start-at <time>',
      'send nothing before this time: 2026-12-01T01:00Z, 2026-12-01T01:00 with --tz, or 8h from now',
    )
    .option('--between <window>', 'send only at this time of the day, as in 01:00-05:00; needs --tz')
    .option('--tz <zone>', 'the time zone of --between, --start-at and --deadline, as in Europe/Berlin')
    .option('--deadline <time>', 'send nothing from this time on; same format as --start-at')
    .option(
      '--report-to <place>',
      'file the report when the job comes to rest: in a folder of the machine that sends, or in s3://BUCKET/PREFIX',
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
    'remove the setting of that flag, as in --unset rate (repeatable)',
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
