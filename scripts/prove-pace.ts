/**
 * Proves the pace of worker processes (testing/proof/prove-pace.ts): through steps of the clock, on one budget with
 * different clocks, with Redis at a distance. Fails if a figure is off. On a busy machine some will be, since it delays
 * the workers.
 *
 *   npm run prove-pace -- steps apart distance
 */
import {
  provePaceOfClocksApart,
  provePaceOverDistance,
  provePaceThroughSteps,
} from '../testing/proof/prove-pace.ts';
import { redisInstalled } from '../testing/redis/server.ts';

const proofs = {
  steps: provePaceThroughSteps,
  apart: provePaceOfClocksApart,
  distance: provePaceOverDistance,
} as const;
const chosen = process.argv.slice(2);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
for (const [name, prove] of Object.entries(proofs)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  if (name !== 'steps' && !redisInstalled()) {
    process.exitCode = 1;
    continue;
  }
  const findings = await prove({ say });
  if (findings.some(({ met }) => !met)) process.exitCode = 1;
}
