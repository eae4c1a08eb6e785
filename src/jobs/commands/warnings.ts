/** What `check` finds, as warnings of a command that needs none of it yet. */
import { lookup } from 'node:dns/promises';
import { findingsOf } from '../../check/findings.ts';
import { ConfigError, type Environment, readConfig } from '../../config.ts';
import type { JobSurroundings } from './surroundings.ts';

/** Longer than this nobody waits for a warning. */
const PATIENCE_MS = 10_000;

/** A line for each thing that a worker with this environment would be wrong with. Never rejects. */
export async function checkWarnings(
  env: Environment,
  { sleep }: Pick<JobSurroundings, 'sleep'>,
): Promise<readonly string[]> {
  const enough = new AbortController();
  const late = sleep(PATIENCE_MS, enough.signal).then(() => [
    `check: no answer within ${PATIENCE_MS / 1_000} s; see \`ota-updater check\``,
  ]);
  try {
    return await Promise.race([findings(env), late]);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map((fault) => `check: ${fault}`);
    return [`check failed: ${error instanceof Error ? error.message : String(error)}`];
  } finally {
    enough.abort();
  }
}

async function findings(env: Environment): Promise<readonly string[]> {
  const config = readConfig(env);
  // The SDK takes 25 MB: not for a configuration that needs no asking.
  const { gatherFacts } = await import('../../check/facts.ts');
  const { createSqsClient, silentLogger } = await import('../../queue/client.ts');
  const { watchClockSkew } = await import('../../aws/clock-skew.ts');
  const client = createSqsClient(3, { logger: silentLogger }, env);
  try {
    const facts = await gatherFacts({
      config,
      env,
      client,
      clockSkewMs: watchClockSkew(client, Date.now),
      resolveHost: async (host) => (await lookup(host)).address,
    });
    return findingsOf(facts)
      .filter(({ severity }) => severity !== 'ok')
      .map(({ where, what, mend }) => `check: ${where} ${what}${mend === undefined ? '' : `; ${mend}`}`);
  } finally {
    client.destroy();
  }
}
