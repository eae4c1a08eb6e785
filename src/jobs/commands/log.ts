/** `jobs log [JOB]`: who changed what, when and why. */
import type { Command } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { wholeNumber } from '../../cli/flags.ts';
import { interruptible } from '../../cli/signals.ts';
import { columnsOf } from '../../text/layout.ts';
import { auditJson, auditText } from '../view/audit.ts';
import { findJob, withLedger } from './open.ts';

const DEFAULT_MAX = 50;

export function addLog(jobs: Command, context: CommandContext): void {
  jobs
    .command('log')
    .summary('who changed a job, when and why')
    .description('Lists the changes of a job, or of all jobs, newest first: who, when, what and why.')
    .argument('[job]', 'the job')
    .option('--max <n>', `maximum number of lines (default: ${DEFAULT_MAX})`, wholeNumber)
    .option('--json', 'print one JSON object per change, one per line')
    .action(async (jobId: string | undefined, { max = DEFAULT_MAX, json = false }: Flags) => {
      await interruptible(context, (signal) =>
        withLedger(context, 'read', signal, async (ledger) => {
          const lines = await ledger.audit(max, jobId);
          // The log also has changes to a job that was deleted since.
          if (jobId !== undefined && lines.length === 0) await findJob(ledger, jobId, context);
          const { stdout, paint } = context;
          if (json) for (const line of lines) stdout.write(auditJson(line));
          else stdout.write(paint(auditText(lines, columnsOf(stdout))));
        }),
      );
    });
}

interface Flags {
  readonly max?: number;
  readonly json?: boolean;
}
