/** The flags that say how a job is sent. */
import { type Command, Option } from 'commander';
import { collect, positiveNumber, wholeNumber } from '../../cli/flags.ts';
import { misuse } from '../../errors.ts';
import { readReportPlace } from '../file-report/place.ts';
import { parseAbortRule } from '../rules/abort-rules.ts';
import { parseAmount } from '../rules/amount.ts';
import { parseRamp } from '../rules/ramp.ts';
import type { JobSettings } from '../rules/settings.ts';
import { parseStages } from '../rules/stages.ts';
import { parseSchedule, parseSeconds } from '../rules/times.ts';

export interface GuardFlags {
  readonly canary?: string;
  readonly stages?: string;
  readonly ramp?: string;
  readonly soak?: string;
  readonly verifyEach?: boolean;
  readonly confirmEach?: boolean;
  readonly abortWhen: readonly string[];
  readonly undoOnAbort?: boolean;
  readonly window?: number;
  readonly rate?: number;
  readonly priority?: number;
  readonly startAt?: string;
  readonly between?: string;
  readonly tz?: string;
  readonly deadline?: string;
  readonly reportTo?: string;
  readonly json?: boolean;
}

/** They are kept with the job: a resume keeps to them, or changes them. */
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
    .option('--verify-each', 'between stages: look at the devices; needs a rule on them')
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
      'rows in flight at most (default: 10 s of the present rate, 20 at least; fewer with --abort-when)',
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
 * @param now epoch milliseconds: durations begin here.
 * @throws CommandError for what is not what it must be.
 */
export function readGuards(flags: GuardFlags, now: number): JobSettings {
  const { canary, stages, ramp, soak, verifyEach, confirmEach, abortWhen, undoOnAbort } = flags;
  const { window, rate, priority, startAt, between, tz, deadline, reportTo } = flags;
  if (priority !== undefined && priority > 9)
    throw misuse(`--priority ${priority}: give a whole number from 1, the least, to 9.`);
  // Refused now, and not at the end of the job.
  if (reportTo !== undefined) readReportPlace('--report-to', reportTo);
  const times = {
    ...(startAt !== undefined && { startAt }),
    ...(between !== undefined && { between }),
    ...(tz !== undefined && { tz }),
    ...(deadline !== undefined && { deadline }),
  };
  return {
    ...(canary !== undefined && { canary: parseAmount('--canary', canary) }),
    ...(stages !== undefined && { stages: parseStages(stages) }),
    ...(ramp !== undefined && { ramp: parseRamp(ramp) }),
    ...(soak !== undefined && { soak: parseSeconds('--soak', soak) }),
    ...(verifyEach !== undefined && { verifyEach }),
    ...(confirmEach !== undefined && { confirmEach }),
    ...(abortWhen.length > 0 && { abortWhen: abortWhen.map(parseAbortRule) }),
    ...(undoOnAbort !== undefined && { undoOnAbort }),
    ...(window !== undefined && { window }),
    ...(rate !== undefined && { rate }),
    ...(priority !== undefined && { priority }),
    ...(reportTo !== undefined && { reportTo }),
    ...parseSchedule(times, now),
  };
}

/** Settings by the flags that set them. */
const unsettable = {
  canary: 'canary',
  stages: 'stages',
  ramp: 'ramp',
  soak: 'soak',
  'verify-each': 'verifyEach',
  'confirm-each': 'confirmEach',
  'abort-when': 'abortWhen',
  'undo-on-abort': 'undoOnAbort',
  window: 'window',
  rate: 'rate',
  priority: 'priority',
  'start-at': 'startAt',
  between: 'between',
  deadline: 'deadline',
} as const satisfies Readonly<Record<string, keyof JobSettings>>;

export interface UnsetFlags {
  readonly unset: readonly (keyof typeof unsettable)[];
}

export function addUnsetOption(command: Command): Command {
  const option = new Option(
    '--unset <flag>',
    'take back what that flag has set, as in --unset rate (repeatable)',
  )
    .choices(Object.keys(unsettable))
    .default([]);
  const check = option.parseArg;
  // Commander's choices keep the last one only.
  option.argParser((text: string, before: readonly string[]) => [
    ...before,
    String(check?.(text, undefined)),
  ]);
  return command.addOption(option);
}

/** The settings without those that are named. */
export function without(settings: JobSettings, names: UnsetFlags['unset']): JobSettings {
  const gone = new Set<string>(names.map((name) => unsettable[name]));
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !gone.has(name)));
}
