/** `jobs`: bulk jobs from plan to report. */
import type { Command } from 'commander';
import type { CommandIo } from '../io.ts';
import { addPlan } from './plan.ts';

/** Adds the group of commands. */
export function addJobs(program: Command, io: CommandIo): void {
  const jobs = program
    .command('jobs')
    .summary('plan, apply and follow bulk jobs')
    .description('Plans bulk jobs, applies them and follows every row to its end.');
  addPlan(jobs, io);
}
