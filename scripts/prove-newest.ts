/**
 * Proves that the newest update wins (testing/stages/pairs.ts) with many pairs: on one worker, and on two that share
 * a memory on Redis.
 *
 *   npm run prove-newest -- 1000
 */
import { redisInstalled, startRedis } from '../testing/redis/server.ts';
import {
  newerSettledFirst,
  type PairsReport,
  pairsStage,
  sentTogether,
  sharedNewest,
} from '../testing/stages/pairs.ts';
import { setStage } from '../testing/stages/stage.ts';

const pairs = Number(process.argv[2] ?? 1_000);
const say = (what: string, { superseded, inPart, unanswered, old }: PairsReport): void => {
  process.stdout.write(
    `${what}: ${pairs} pairs, ${superseded} superseded, ${inPart} applied in part, ${unanswered} calls without an answer, ${old.length} tasks ended with an old value\n`,
  );
  if (old.length > 0) process.exitCode = 1;
};
const one = await setStage(pairsStage);
say('newer settled first, one worker', await newerSettledFirst(one, pairs));
await one.strike();
if (redisInstalled()) {
  const redis = await startRedis();
  const two = await setStage({ ...pairsStage, newest: sharedNewest(redis.url) });
  say('sent together, two workers on Redis', await sentTogether(two, pairs, Math.random));
  await two.strike();
  await redis.kill();
  // For comparison: the same without a shared memory.
  const control = await setStage(pairsStage);
  const { old } = await sentTogether(control, pairs, Math.random);
  process.stdout.write(`for comparison, without Redis: ${old.length} tasks ended with an old value\n`);
  await control.strike();
} else process.exitCode = 1;
