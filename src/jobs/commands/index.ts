/** `jobs`: bulk jobs from plan to report. */
import type { Command } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { addApply } from './apply.ts';
import { addList } from './list.ts';
import { addLog } from './log.ts';
import { addPlan } from './plan.ts';
import { addPrune } from './prune.ts';
import { addReconcile } from './reconcile.ts';
import { addReport } from './report.ts';
import { addResume } from './resume.ts';
import { addRetry } from './retry.ts';
import { addSend } from './send.ts';
import { addStatus } from './status.ts';
import { addCancel, addPause, addSet, addStop } from './steer.ts';
import { addExport, addImport } from './transfer.ts';
import { addUndo } from './undo.ts';
import { addVerify } from './verify.ts';

/** The group of commands. They print only to `context`, and set its exit code or throw CommandError. */
export function configureJobs(jobs: Command, context: CommandContext): void {
  jobs.description('Plans bulk jobs, applies them and follows every row to its end.');
  for (const add of [
    addPlan,
    addApply,
    addPause,
    addResume,
    addSet,
    addStop,
    addCancel,
    addSend,
    addStatus,
    addReport,
    addVerify,
    addRetry,
    addReconcile,
    addUndo,
    addList,
    addPrune,
    addLog,
    addExport,
    addImport,
  ])
    add(jobs, context);
}
