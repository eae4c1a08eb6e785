/** `jobs`: bulk jobs from plan to report. */
import type { Command } from 'commander';
import type { CommandIo } from '../../cli/io.ts';
import { addApply } from './apply.ts';
import { ledgerRows } from './ledger-rows.ts';
import { addList } from './list.ts';
import { addPlan } from './plan.ts';
import { addReconcile } from './reconcile.ts';
import { addReport } from './report.ts';
import { addResume } from './resume.ts';
import { addRetry } from './retry.ts';
import { addStatus } from './status.ts';
import { addUndo } from './undo.ts';

/** The group of commands. */
export function configureJobs(jobs: Command, io: CommandIo): void {
  jobs.description('Plans bulk jobs, applies them and follows every row to its end.');
  addPlan(jobs, io);
  addApply(jobs, io);
  addResume(jobs, io);
  addStatus(jobs, io);
  addReport(jobs, io);
  addRetry(jobs, io);
  addReconcile(jobs, io);
  addUndo(jobs, io, ledgerRows);
  addList(jobs, io);
}
