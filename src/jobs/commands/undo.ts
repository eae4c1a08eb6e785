/** `jobs undo JOB`: a plan that takes a job back. */
import type { Command } from 'commander';
import { misuse } from '../../cli/flags.ts';
import type { CommandIo } from '../../cli/io.ts';
import { apiSettings, type Environment, readConfig } from '../../config.ts';
import { shortPrintable } from '../../text/printable.ts';
import { createProgress } from '../../text/progress.ts';
import { defaultJobId, isJobId } from '../plan/job-id.ts';
import type { JobRow } from '../run/undo.ts';
import { makeUndo, type UndoOptions } from '../run/undo-run.ts';
import { lazyReader } from './lazy-reader.ts';
import { finishPlan } from './plan.ts';
import { interruptible, type JobSurroundings, realSurroundings } from './surroundings.ts';

interface Flags {
  readonly jobId?: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly refused?: string;
  readonly json?: boolean;
}

/** The rows of a job, from wherever jobs are remembered. */
export interface JobRows {
  /** All rows in order; undefined when there is no such job. */
  rows(jobId: string): Iterable<JobRow> | undefined;
  close(): void;
}

/** Adds the command. It prints to `io` alone, sets `io.exitCode` or throws CommandError. */
export function addUndo(
  jobs: Command,
  io: CommandIo,
  openRows: (env: Environment) => JobRows,
  surroundings: JobSurroundings = realSurroundings,
): void {
  jobs
    .command('undo')
    .summary('make a plan that takes a job back')
    .description(
      'Makes a plan of the values that tasks had before a job changed them, for `jobs apply`. ' +
        'Every task is read first; what was changed since, or has no former value, is listed. Nothing is sent.',
    )
    .argument('<job>', 'the job to undo')
    .option('--job-id <id>', 'the name of the new job (default: <JOB>-undo)')
    .option('--out <path>', 'where the plan goes (default: <JobId>.plan.jsonl)')
    .option('--force', 'replace a plan that is there')
    .option('--refused <path>', 'where rows go that cannot be undone (default: <JobId>.refused.csv)')
    .option('--json', 'print the summary as one JSON object')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 misuse, 3 some rows cannot be undone, 130 interrupted.',
    )
    .action(async (job: string, flags: Flags) => {
      const config = readConfig(io.env, apiSettings);
      const options = readOptions(job, flags, surroundings, config);
      const ledger = openRows(io.env);
      try {
        const rows = ledger.rows(job);
        if (rows === undefined)
          throw misuse(`There is no job ${shortPrintable(job)}: see \`ota-updater jobs list\`.`);
        const report = await interruptible(io, async (signal) => {
          const progress = createProgress({ ...io, clock: surroundings.clock });
          const reader = lazyReader(async () => {
            const { createReader } = await import('./reader.ts');
            return createReader(config, surroundings, signal);
          });
          try {
            return await makeUndo(options, {
              ...surroundings,
              rows: () => rows,
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
      } finally {
        ledger.close();
      }
    });
}

function readOptions(
  undone: string,
  flags: Flags,
  { clock, random }: JobSurroundings,
  config: { readonly rateLimit: number; readonly maxConcurrency: number },
): UndoOptions {
  const named = `${undone}-undo`;
  const jobId = flags.jobId ?? (isJobId(named) ? named : defaultJobId(clock.wall(), random));
  if (!isJobId(jobId)) {
    throw misuse(`--job-id ${shortPrintable(jobId)}: may hold 1 to 128 letters, digits and _ . : -`);
  }
  return {
    undone,
    jobId,
    out: flags.out ?? `${jobId}.plan.jsonl`,
    force: flags.force === true,
    refusedFile: flags.refused,
    rateLimit: config.rateLimit,
    maxConcurrency: config.maxConcurrency,
  };
}
