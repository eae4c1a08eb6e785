/** Asks AWS and Redis and judges the answers: `check` itself, for the commands that run it. */
import { lookup } from 'node:dns/promises';
import { watchClockSkew } from '../aws/server-time.ts';
import type { Config, Environment } from '../config.ts';
import { createApiProbe } from '../ota/probe.ts';
import { askRedis } from '../ota/redis-probe.ts';
import { createSqsClient } from '../queue/client.ts';
import type { Clock } from '../time/clock.ts';
import type { Finding } from './finding.ts';
import { findingsOf } from './findings.ts';
import { gatherFacts } from './gather.ts';
import { tryState } from './state-folder.ts';

/** The longest wait for the API, in milliseconds. */
const API_TIMEOUT_MS = 5_000;

export interface CheckSurroundings {
  readonly env: Environment;
  readonly clock: Clock;
  readonly random: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** All findings of the rules for this configuration. A failure of AWS is a finding, not a rejection. */
export async function runCheck(config: Config, surroundings: CheckSurroundings): Promise<Finding[]> {
  const { env, clock } = surroundings;
  const client = createSqsClient(3, {}, env);
  const api = createApiProbe({
    callTimeoutMs: Math.min(config.callTimeoutMs, API_TIMEOUT_MS),
    maxSockets: 1,
    env,
  });
  try {
    const facts = await gatherFacts({
      ...surroundings,
      config,
      client,
      clockSkewMs: watchClockSkew(client, clock),
      resolveHost: async (host) => (await lookup(host)).address,
      api,
      askRedis,
      tryState,
    });
    return findingsOf(facts);
  } finally {
    client.destroy();
    api.destroy();
  }
}
