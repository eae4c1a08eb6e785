/** `check`: is everything in place for a worker with this configuration? */
import type { Command } from 'commander';
import type { CommandContext } from '../cli/context.ts';
import { readConfigForAws } from '../config.ts';
import { exitCodes } from '../errors.ts';
import { isOk } from './findings.ts';
import { findingsAsJson, findingsAsText } from './report.ts';
import { runCheck } from './run-check.ts';

/** The command ends with 0 when nothing is wrong (warnings allowed), 1 when there are errors. */
export function configureCheck(command: Command, context: CommandContext): void {
  command
    .description('Check configuration, queues, permissions and clock, and say what to fix')
    .option('--json', 'print { ok, findings } instead of lines')
    .action(async ({ json }: { json?: boolean }) => {
      const findings = await runCheck(readConfigForAws(context.env), context.env);
      context.stdout.write(json === true ? findingsAsJson(findings) : findingsAsText(findings));
      context.exitCode = isOk(findings) ? exitCodes.done : exitCodes.failed;
    });
}
