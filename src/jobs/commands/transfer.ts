/** `jobs export` and `jobs import`: a job from one ledger to another. */
import type { Command } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { interruptible } from '../../cli/signals.ts';
import { whoIs } from '../../cli/who.ts';
import { misuse } from '../../errors.ts';
import { OutputFile, type OutputKind } from '../../files/output-file.ts';
import { number } from '../../text/numbers.ts';
import { printable } from '../../text/printable.ts';
import type { PlannedJob } from '../ledger/job.ts';
import { isExport, openExport, toText } from '../transfer/file.ts';
import { findPlannedJob, withLedger } from './open.ts';

const kind: OutputKind = {
  title: 'The exported job',
  flag: '--out',
  replaces: { noun: 'an exported job', isOurs: isExport },
};

export function addExport(jobs: Command, context: CommandContext): void {
  jobs
    .command('export')
    .summary('a job to a file, for another ledger')
    .description(
      'Writes all that the ledger has of a job to a file: its rows and their ends, what its plan left out, outcomes of none of its rows, its ' +
        'runs, settings and changes. `jobs import` enters it in another ledger (STATE_DIR or LEDGER_URL). It stays here as it is.',
    )
    .argument('<job>', 'the job; nobody may be sending it')
    .requiredOption('--out <file>', 'write it to this file, which does not exist yet')
    .option('--force', 'replace an earlier export at --out')
    .action(async (jobId: string, { out, force = false }: { out: string; force?: boolean }) => {
      const file = new OutputFile(kind, out, { ...context, force });
      try {
        await interruptible(context, (signal) =>
          withLedger(context, 'read', async (ledger) => {
            const job = await findPlannedJob(ledger, jobId, context);
            requireIdle(job, context);
            const lease = ledger.access === 'write' ? await ledger.lease(job.key) : undefined;
            if (lease === undefined && (await ledger.isLeased(job.key))) throw beingSent(jobId, context);
            try {
              for await (const text of toText(jobId, ledger.exportJob(job.key))) {
                signal.throwIfAborted();
                file.write(text);
              }
            } finally {
              await lease?.release();
            }
            file.place(true);
            const command = context.commandLine('jobs', 'import', out);
            context.stdout.write(
              `Job ${jobId}, ${number(job.plan.rows)} rows, is in ${printable(out)}. ` +
                `\`${command}\` enters it in another ledger; from then on send it from there only.\n`,
            );
          }),
        );
      } finally {
        file.discard();
      }
    });
}

/** Where a sender may take it up at any time, two ledgers would send it. */
function requireIdle({ jobId, plan }: PlannedJob, context: CommandContext): void {
  const { name } = plan.state;
  if (name === 'running' || name === 'scheduled' || name === 'stopping') throw beingSent(jobId, context);
}

function beingSent(jobId: string, { commandLine }: CommandContext) {
  return misuse(
    `Job ${jobId} is being sent, or may be at any time. \`${commandLine('jobs', 'stop', jobId)}\` stops it; then export it. Nothing was written.`,
  );
}

export function addImport(jobs: Command, context: CommandContext): void {
  jobs
    .command('import')
    .summary('a job from the file of `jobs export`')
    .description(
      'Enters a job that `jobs export` has written in this ledger (STATE_DIR or LEDGER_URL): all of it, or nothing. The ledger is made when it ' +
        'is not there.',
    )
    .argument('<file>', 'the file, or `-` for stdin')
    .action(async (name: string) => {
      await interruptible(context, async (signal) => {
        const file = await openExport(name, { ...context, signal });
        try {
          await withLedger(context, 'create', async (ledger) => {
            let jobId = '';
            async function* batches() {
              for await (const batch of file.batches()) {
                signal.throwIfAborted();
                if (batch.table === 'jobs') jobId = String(batch.records[0]?.[0]);
                yield batch;
              }
            }
            const entered = await ledger.importJob(batches, whoIs(context));
            const there = `the ledger ${printable(ledger.place)}`;
            if (!entered)
              throw misuse(`Job ${printable(jobId)} is in ${there} already. Nothing was changed.`);
            context.stdout.write(
              `Job ${jobId} is in ${there}. \`${context.commandLine('jobs', 'status', jobId)}\` says where it stands.\n`,
            );
          });
        } finally {
          await file.close();
        }
      });
    });
}
