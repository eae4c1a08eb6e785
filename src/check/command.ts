/** `check`: is everything in place for a worker with this configuration? */

import type { Command } from 'commander';
import type { CommandContext } from '../cli/context.ts';
import { readConfigForAws } from '../config.ts';
import { exitCodes } from '../errors.ts';
import { columnsOf } from '../text/layout.ts';
import { isOk } from './findings.ts';
import { checkAsJson, checkAsText } from './report.ts';
import { runCheck } from './run-check.ts';
import { effectiveSettings } from './settings.ts';

/** The command ends with 0 when nothing is wrong (warnings allowed), 1 when there are errors. */
export function configureCheck(command: Command, context: CommandContext): void {
  command
    .description(
      'Check settings, queues, the API, Redis, clocks and the state folder, and say what to fix and what was not checked',
    )
    .option('--json', 'print { ok, findings, settings } instead of lines')
    .action(async ({ json }: { json?: boolean }) => {
      const findings = await runCheck(readConfigForAws(context.env), context);
      const settings = effectiveSettings(context.env);
      context.stdout.write(
        json === true
          ? checkAsJson(settings, findings)
          : context.paint(checkAsText(settings, findings, columnsOf(context.stdout))),
      );
      context.exitCode = isOk(findings) ? exitCodes.done : exitCodes.failed;
    });
}
