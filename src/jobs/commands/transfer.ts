/** `jobs export` and `jobs import`: move a job from one ledger to another. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { interruptible } from '../../cli/signals.ts';
import { addReasonOptions, type ReasonFlags, whoIs } from '../../cli/who.ts';
import { CommandError, messageOf, misuse } from '../../errors.ts';
import { OutputFile, type OutputKind } from '../../files/output-file.ts';
import { number } from '../../text/numbers.ts';
import { printable } from '../../text/printable.ts';
import type { PlannedJob } from '../ledger/job.ts';
import type { Lease, Ledger } from '../ledger/ledger.ts';
import type { ImportEnd } from '../ledger/transfer.ts';
import type { Deed } from '../steer/deed.ts';
import { isExport, openExport, toText } from '../transfer/file.ts';
import { findPlannedJob, withLedger } from './open.ts';

const kind: OutputKind = {
  title: 'The exported job',
  flag: '--out',
  replaces: { noun: 'an exported job', isOurs: isExport },
};

interface ExportFlags extends ReasonFlags {
  readonly out: string;
  readonly force?: boolean;
  readonly copy?: boolean;
}

export function addExport(jobs: Command, context: CommandContext): void {
  const command = jobs
    .command('export')
    .summary('move a job to a file, for another ledger')
    .description(
      'Writes everything that the ledger has about a job to a file: its rows and their ends, what its plan left out, outcomes that match no row, its ' +
        'runs, settings and changes. `jobs import` enters it in another ledger (STATE_DIR or LEDGER_URL), which owns the job from then on: ' +
        'here it is `elsewhere`, and is no longer sent. With --copy it stays here as it is.',
    )
    .argument('<job>', 'the job; no process may be sending it')
    .requiredOption('--out <file>', 'write it to this file, which must not exist yet')
    .option('--copy', 'a backup: the job continues here, and a ledger that imports the file does not send it')
    .option('--force', 'replace an earlier export at --out');
  addReasonOptions(command).action(async (jobId: string, flags: ExportFlags) => {
    const { out, force = false, copy = false } = flags;
    const file = new OutputFile(kind, out, { ...context, force });
    try {
      await interruptible(context, (signal) =>
        withLedger(context, copy ? 'read' : 'write', signal, async (ledger) => {
          const { key } = await findPlannedJob(ledger, jobId, context);
          const lease = await leaseOf(ledger, key, jobId);
          let job: PlannedJob;
          try {
            // Read again: under the lease, no other process changes its rows.
            job = await findPlannedJob(ledger, jobId, context);
            requireIdle(job, context);
            if (job.plan.state.isCopy === true && !copy)
              throw misuse(
                `Job ${jobId} is only a copy here, so this ledger cannot move it. --copy exports it as a copy. Nothing was written.`,
              );
            const write = async (): Promise<void> => {
              for await (const text of toText(jobId, ledger.exportJob(key, copy))) {
                signal.throwIfAborted();
                file.write(text);
              }
            };
            const place = (): void => void file.place(true);
            if (copy) {
              await write();
              place();
            } else await move(ledger, job, readDeed(flags, context), { write, place });
          } finally {
            await lease?.release();
          }
          const command = context.commandLine('jobs', 'import', out);
          const what = copy
            ? `\`${command}\` enters it in another ledger, for reading only; the job continues here.`
            : `\`${command}\` enters it in another ledger, which owns it from then on. It is no longer sent from here; with --take-over that command takes it back.`;
          context.stdout.write(
            `Job ${jobId}, ${number(job.plan.rows)} rows, is in ${printable(out)}${copy ? ' as a copy' : ''}. ${what}\n`,
          );
        }),
      );
    } finally {
      file.discard();
    }
  });

  /** @returns undefined if the ledger may only be read. */
  async function leaseOf(ledger: Ledger, key: number, jobId: string): Promise<Lease | undefined> {
    if (ledger.access !== 'write') {
      if (await ledger.isLeased(key)) throw beingSent(jobId, context);
      return undefined;
    }
    const lease = await ledger.lease(key);
    if (lease === undefined) throw beingSent(jobId, context);
    return lease;
  }

  function readDeed({ out, by, reason }: ExportFlags, { cwd }: CommandContext): Deed {
    const to = `Moved to ${resolve(cwd, out)}`;
    return { who: whoIs(context, by), why: reason === undefined ? to : `${to}: ${reason}` };
  }
}

/**
 * Changes the job to be elsewhere before anything is written, so that nothing happens to it here meanwhile. If the file cannot be
 * written, takes the job back. A job that is already elsewhere, or cancelled so that nobody can send it, is only written.
 *
 * The caller has the job's lease. A process that was frozen for long may have lost the lease, and with it the job. The file is
 * therefore placed, or the job taken back, only if the job is still as it was when writing began.
 */
async function move(
  ledger: Ledger,
  { key, jobId, plan }: PlannedJob,
  { who, why = '' }: Deed,
  { write, place }: { readonly write: () => Promise<void>; readonly place: () => void },
): Promise<void> {
  const { name, since: before } = plan.state;
  const isMoved = name === 'elsewhere' || name === 'cancelled';
  const meanwhile = () => misuse(`Job ${jobId} has changed meanwhile: export it again. Nothing was written.`);
  if (!isMoved && !(await ledger.change(key, { event: 'move', who, why, since: before }))) throw meanwhile();
  const sinceNow = async () => (await ledger.job(jobId))?.plan?.state.since;
  const since = isMoved ? before : await sinceNow();
  try {
    await write();
    if (since === undefined || (await sinceNow()) !== since) throw meanwhile();
    place();
  } catch (error) {
    if (isMoved || since === undefined) throw error;
    const undone = { event: 'take-over', who, why: 'It could not be exported', since } as const;
    await ledger.change(key, undone).catch(() => {
      throw new CommandError(
        `${messageOf(error)} Job ${jobId} is already marked as elsewhere, and could not be taken back: fix that, then export it again.`,
      );
    });
    throw error;
  }
}

/** If a sender could continue the job at any time, two ledgers would send it. */
function requireIdle({ jobId, plan }: PlannedJob, context: CommandContext): void {
  const { name } = plan.state;
  if (name === 'running' || name === 'scheduled' || name === 'stopping') throw beingSent(jobId, context);
}

function beingSent(jobId: string, { commandLine }: CommandContext) {
  return misuse(
    `Job ${jobId} is being sent, or may be at any time. \`${commandLine('jobs', 'stop', jobId)}\` stops it; then export it. Nothing was written.`,
  );
}

interface ImportFlags extends ReasonFlags {
  readonly takeOver?: boolean;
}

export function addImport(jobs: Command, context: CommandContext): void {
  const command = jobs
    .command('import')
    .summary('enter a job from a file of `jobs export`')
    .description(
      'Enters a job from a file of `jobs export` in this ledger (STATE_DIR or LEDGER_URL): all of it, or nothing. A missing ledger is created. ' +
        'This ledger owns the job from then on; a copy is only shown. A job that was moved from here and comes back replaces ' +
        'what is here.',
    )
    .argument('<file>', 'the file, or `-` for stdin')
    .option(
      '--take-over',
      'make this ledger the one that sends the job: takes back a job that was moved from here, or turns a copy into a job. No other ledger may send it',
    );
  addReasonOptions(command).action(async (name: string, { takeOver = false, by, reason }: ImportFlags) => {
    await interruptible(context, async (signal) => {
      const file = await openExport(name, { ...context, signal });
      try {
        await withLedger(context, 'create', signal, async (ledger) => {
          let jobId = '';
          async function* batches() {
            for await (const batch of file.batches()) {
              signal.throwIfAborted();
              if (batch.table === 'jobs') jobId = String(batch.records[0]?.[0]);
              yield batch;
            }
          }
          const from = name === '-' ? 'stdin' : resolve(context.cwd, name);
          const who = whoIs(context, by);
          const end = await ledger.importJob(batches, {
            who,
            from,
            takeOver,
            ...(reason !== undefined && { why: reason }),
          });
          context.stdout.write(`${endText(end, { jobId, name, place: ledger.place }, context)}\n`);
        });
      } finally {
        await file.close();
      }
    });
  });
}

/** @throws CommandError if nothing was changed. */
function endText(
  end: ImportEnd,
  { jobId, name, place }: { readonly jobId: string; readonly name: string; readonly place: string },
  { commandLine }: CommandContext,
): string {
  const job = `Job ${printable(jobId)}`;
  const there = `the ledger ${printable(place)}`;
  const status = `\`${commandLine('jobs', 'status', jobId)}\` says where it stands.`;
  const takeOver = `\`${commandLine('jobs', 'import', name, '--take-over')}\``;
  switch (end) {
    case 'entered':
      return `${job} is in ${there}. ${status}`;
    case 'copied':
      return `${job} is in ${there} as a copy: it is not sent from here, unless ${takeOver} makes it this ledger's. ${status}`;
    case 'taken-over':
      return `${job}, which was moved from ${there}, belongs to that ledger again. ${status}`;
    case 'here':
      throw misuse(`${job} is in ${there} already. Nothing was changed.`);
    case 'moved':
      throw misuse(
        `${job} was moved from ${there} by this export. If no other ledger has imported it, or none sends it any more, ${takeOver} takes it back. Nothing was changed.`,
      );
    case 'copy':
      throw misuse(
        `${job} was moved from ${there}, and this file is only a copy of it: the ledger that it was moved to owns it and sends it. Nothing was changed.`,
      );
    case 'older':
      throw misuse(
        `${job} was moved again after this export was made, or a later copy of it is here: it would be sent twice. Import the latest export. Nothing was changed.`,
      );
    case 'busy':
      throw misuse(
        `Another process is using job ${printable(jobId)} in ${there}, for example to export or prune it. Import the job when that process has ended. Nothing was changed.`,
      );
  }
}
