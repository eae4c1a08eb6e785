/** Sensible next steps for a job. PURE. */
import type { CommandLine } from '../../text/shell.ts';
import type { JobStanding } from '../ledger/job.ts';
import { awaitsDevices } from '../rules/decide.ts';
import { awaitsUndo } from '../run/undo-on-abort.ts';

export interface NextStep {
  /** The command as typed. */
  readonly command: string;
  /** Continues the sentence after the command: its purpose, or when to use it. */
  readonly why?: string;
}

/**
 * The steps in order, the first of them for now. Every screen takes its next steps from here. A job whose plan is not
 * in the ledger has none. Each step is a command that accepts the job in its present state.
 */
export function nextSteps(
  { job, counts, leased, undos }: Pick<JobStanding, 'job' | 'counts' | 'leased' | 'undos'>,
  commandLine: CommandLine,
): readonly NextStep[] {
  const { jobId, plan } = job;
  if (plan === undefined) return [];
  const jobs = (name: string, ...args: readonly string[]): string =>
    commandLine('jobs', name, jobId, ...args);
  if (plan.state.name === 'elsewhere') return [];
  const open = !plan.complete || counts.ended < counts.total;
  if (plan.state.name === 'paused' && open) {
    const asked = plan.progress.waitsFor === 'word';
    return [{ command: jobs('resume'), why: asked ? 'continues with the next stage' : 'continues it' }];
  }
  if (leased && open) return [{ command: jobs('status', '--watch') }];
  const { name, towards } = plan.state;
  const isCancelled = name === 'cancelled' || towards === 'cancelled';
  // Outcomes of rows in flight still arrive.
  if (isCancelled && open) return name === 'cancelled' ? [] : [{ command: jobs('status', '--watch') }];
  // For a plan, `jobs resume` enters the rest.
  if (plan.enqueued && !plan.complete)
    // The ledger does not know the other arguments: a queue, the name of a column, a value for all rows.
    return [
      {
        command: commandLine('enqueue', plan.path, '--job', jobId),
        why: 'continues it, with its other flags',
      },
    ];
  const why = { command: jobs('report', '--state', 'failed'), why: 'says why rows failed' };
  if (plan.state.name === 'aborted' && (plan.progress.devices?.failed ?? 0) > 0)
    return [
      { command: jobs('verify'), why: 'says which devices failed' },
      undoStep({ counts, undos }, commandLine) ?? {
        command: jobs('undo'),
        why: "restores the tasks' settings, if its plan has read them (--refresh)",
      },
    ];
  if (open) {
    const resume = { command: jobs('resume') };
    if (awaitsUndo(job)) return [{ ...resume, why: 'undoes it first, as --undo-on-abort requires' }];
    if ((name === 'running' || name === 'scheduled') && plan.complete)
      return [
        { command: commandLine('jobs', 'send'), why: 'sends it and all other due jobs' },
        { ...resume, why: 'sends only this job, from here' },
      ];
    if (plan.state.why === undefined || counts.failed === 0) return [resume];
    return [why, { ...resume, why: 'once that is fixed' }];
  }
  if (name !== 'done' && !isCancelled && awaitsDevices(plan.settings, plan.progress, counts))
    return leased
      ? [{ command: jobs('status', '--watch') }]
      : [{ command: jobs('resume'), why: 'checks its devices against its rules, and ends the job' }];
  if (counts.failed === 0) return [{ command: jobs('report') }];
  return isCancelled ? [why] : [why, { command: jobs('retry', '--only-failed'), why: 'once that is fixed' }];
}

/** The step for a job whose undo has restored everything, or will. */
function undoStep(
  { counts, undos }: Pick<JobStanding, 'counts' | 'undos'>,
  commandLine: CommandLine,
): NextStep | undefined {
  const [last] = undos;
  const restored = undos.reduce((sum, { applied }) => sum + applied, 0);
  if (last === undefined || (last.isDone && restored < counts.applied)) return undefined;
  const why = last.isDone ? "has restored the tasks' settings" : "restores the tasks' settings";
  return { command: commandLine('jobs', 'status', last.jobId), why };
}
