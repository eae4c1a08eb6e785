/** `jobs plan FILE|-` and `jobs plan --from-tasks`: flags to options, report to exit code. */
import type { Command } from 'commander';
import { collect, misuse, readAssignments, readFormat, toFields } from '../../cli/flags.ts';
import { CommandError, type CommandIo, exitCodes } from '../../cli/io.ts';
import { apiSettings, readConfig } from '../../config.ts';
import { shortPrintable } from '../../text/printable.ts';
import { createProgress } from '../../text/progress.ts';
import { changeFields } from '../plan/decisions.ts';
import { defaultJobId, isJobId } from '../plan/job-id.ts';
import type { PlanFrom, PlanOptions } from '../plan/options.ts';
import { makePlan } from '../plan/run.ts';
import { type PlanReport, planJson, planText } from '../plan/summary.ts';
import { toConditions, whereFields } from '../plan/where.ts';
import { lazyReader } from './lazy-reader.ts';
import { interruptible, type JobSurroundings, realSurroundings } from './surroundings.ts';

interface Flags {
  readonly fromTasks?: boolean;
  readonly where: readonly string[];
  readonly set: readonly string[];
  readonly jobId?: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly refresh?: boolean;
  readonly format?: string;
  readonly refused?: string;
  readonly json?: boolean;
}

/** Adds the command. It prints to `io` alone, sets `io.exitCode` or throws CommandError. */
export function addPlan(
  jobs: Command,
  io: CommandIo,
  surroundings: JobSurroundings = realSurroundings,
): void {
  jobs
    .command('plan')
    .summary('decide what a job will change, and write it to a plan file')
    .description(
      'Decides what a bulk job will change, from a file of updates or from the live tasks, ' +
        'and writes it to a plan file for `jobs apply`. Nothing is sent.',
    )
    .argument('[file]', 'CSV with a header row, or JSON Lines; - for stdin')
    .option('--from-tasks', 'plan for the live tasks instead of a file (ListOtaTasks)')
    .option(
      '--where <field=value>',
      `only tasks like this: ${whereFields.join(', ')}; the same field again: either value`,
      collect,
      [],
    )
    .option('--set <field=value>', `set ${changeFields.join(' or ')} on every row`, collect, [])
    .option('--job-id <id>', 'the name of the job (default: the date and six random characters)')
    .option('--out <path>', 'where the plan goes (default: <JobId>.plan.jsonl)')
    .option('--force', 'replace a plan that is there')
    .option('--refresh', 'read every task first (GetOtaTask): what is so already, what `jobs undo` needs')
    .option('--format <format>', 'csv or jsonl (default: by extension; for stdin by the first character)')
    .option('--refused <path>', 'where refused rows go (default: FILE.refused.csv or <JobId>.refused.csv)')
    .option('--json', 'print the summary as one JSON object')
    .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 misuse, 3 some rows refused, 130 interrupted.')
    .action(async (file: string | undefined, flags: Flags) => {
      const config = readConfig(io.env, apiSettings);
      const options = readOptions(file, flags, surroundings, config);
      const report = await interruptible(io, async (signal) => {
        const progress = createProgress({ ...io, clock: surroundings.clock });
        const reader = lazyReader(async () => {
          // The SDK takes 25 MB, and most plans of a file do without.
          const { createReader } = await import('./reader.ts');
          return createReader(config, surroundings, signal);
        });
        try {
          return await makePlan(options, {
            ...surroundings,
            stdin: io.stdin,
            signal,
            reader,
            progress,
            say: (line) => {
              // A bar that is still there would write over the line, and the line into the bar.
              progress.stop();
              io.stderr.write(`${line}\n`);
            },
            check: async () => (await import('./warnings.ts')).checkWarnings(io.env, surroundings),
          });
        } finally {
          await reader.close();
        }
      });
      finishPlan(report, flags.json === true, io);
    });
}

/** Prints what came of making a plan, and sets the exit code. */
export function finishPlan(report: PlanReport | undefined, json: boolean, io: CommandIo): void {
  if (report === undefined) {
    throw new CommandError('Interrupted. Nothing was written.', exitCodes.interrupted);
  }
  io.stdout.write(json ? planJson(report) : planText(report));
  io.exitCode = report.counts.refused > 0 ? exitCodes.someRefused : exitCodes.done;
}

function readOptions(
  file: string | undefined,
  flags: Flags,
  { clock, random }: JobSurroundings,
  config: { readonly rateLimit: number; readonly maxConcurrency: number },
): PlanOptions {
  const set = toFields(readAssignments('--set', flags.set, changeFields));
  const from = readFrom(file, flags);
  if ('conditions' in from && Object.keys(set).length === 0) {
    throw misuse('--from-tasks: say what to change, as in --set TaskConfigurationId=VALUE.');
  }
  const jobId = flags.jobId ?? defaultJobId(clock.wall(), random);
  if (!isJobId(jobId)) {
    throw misuse(`--job-id ${shortPrintable(jobId)}: may hold 1 to 128 letters, digits and _ . : -`);
  }
  return {
    from,
    set,
    jobId,
    out: flags.out ?? `${jobId}.plan.jsonl`,
    force: flags.force === true,
    refresh: flags.refresh === true,
    refusedFile: flags.refused,
    rateLimit: config.rateLimit,
    maxConcurrency: config.maxConcurrency,
  };
}

function readFrom(file: string | undefined, flags: Flags): PlanFrom {
  if (flags.fromTasks !== true) {
    if (flags.where.length > 0) throw misuse('--where chooses live tasks: it goes with --from-tasks.');
    if (file === undefined) throw misuse('Give a file of updates, - for stdin, or --from-tasks.');
    return { file, format: readFormat(flags.format) };
  }
  if (file !== undefined) {
    throw misuse(`--from-tasks plans for the live tasks: leave ${shortPrintable(file)} out.`);
  }
  return { conditions: toConditions(readAssignments('--where', flags.where, whereFields)) };
}
