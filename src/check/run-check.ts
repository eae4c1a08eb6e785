/** Asks AWS and judges the answers: `check` itself, for the commands that make it. */
import { lookup } from 'node:dns/promises';
import { watchClockSkew } from '../aws/server-time.ts';
import type { Config, Environment } from '../config.ts';
import { createSqsClient } from '../queue/client.ts';
import { systemClock } from '../time/clock.ts';
import { gatherFacts } from './facts.ts';
import type { Finding } from './finding.ts';
import { findingsOf } from './findings.ts';

/** Everything that the rules find for this configuration. A failure of AWS is a finding, and no rejection. */
export async function runCheck(config: Config, env: Environment): Promise<Finding[]> {
  const client = createSqsClient(3, {}, env);
  try {
    const facts = await gatherFacts({
      config,
      env,
      client,
      clockSkewMs: watchClockSkew(client, systemClock),
      resolveHost: async (host) => (await lookup(host)).address,
    });
    return findingsOf(facts);
  } finally {
    client.destroy();
  }
}
