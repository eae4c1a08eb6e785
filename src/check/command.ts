/** `check`: is everything in place for a worker with this configuration? */
import type { Command } from 'commander';
import { type CommandIo, exitCodes } from '../cli/io.ts';
import { readConfig } from '../config.ts';
import { isOk } from './findings.ts';
import { findingsAsJson, findingsAsText } from './report.ts';
import { runCheck } from './run-check.ts';

/** Adds `check`. It ends with 0 when nothing is wrong (warnings allowed), 1 when there are errors. */
export function addCheck(program: Command, io: CommandIo): void {
  program
    .command('check')
    .description('Look at configuration, queues, permissions and clock, and say what to fix')
    .option('--json', 'print { ok, findings } instead of lines')
    .action(async ({ json }: { json?: boolean }) => {
      const findings = await runCheck(readConfig(io.env), io.env);
      io.stdout.write(json === true ? findingsAsJson(findings) : findingsAsText(findings));
      io.exitCode = isOk(findings) ? exitCodes.done : exitCodes.failed;
    });
}
