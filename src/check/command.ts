/** `check`: is everything in place for a worker with this configuration? */
import { lookup } from 'node:dns/promises';
import type { Command } from 'commander';
import { watchClockSkew } from '../aws/clock-skew.ts';
import { type CommandIo, exitCodes } from '../cli/io.ts';
import { readConfig } from '../config.ts';
import { createSqsClient, silentLogger } from '../queue/client.ts';
import { gatherFacts } from './facts.ts';
import { findingsOf, isOk } from './findings.ts';
import { findingsAsJson, findingsAsText } from './report.ts';

/** Adds `check`. It ends with 0 when nothing is wrong (warnings allowed), 1 when there are errors. */
export function addCheck(program: Command, io: CommandIo): void {
  program
    .command('check')
    .description('Look at configuration, queues, permissions and clock, and say what to mend')
    .option('--json', 'print { ok, findings } instead of lines')
    .action(async ({ json }: { json?: boolean }) => {
      const config = readConfig(io.env);
      const client = createSqsClient(3, { logger: silentLogger }, io.env);
      try {
        const facts = await gatherFacts({
          config,
          env: io.env,
          client,
          clockSkewMs: watchClockSkew(client, Date.now),
          resolveHost: async (host) => (await lookup(host)).address,
        });
        const findings = findingsOf(facts);
        io.stdout.write(json === true ? findingsAsJson(findings) : findingsAsText(findings));
        io.exitCode = isOk(findings) ? exitCodes.done : exitCodes.failed;
      } finally {
        client.destroy();
      }
    });
}
