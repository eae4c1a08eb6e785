/** One caller, or a fleet, on one limiter with real processes; measured at the API. */
import { jain } from '../../../testing/rates/asks.ts';
import { startRedis } from '../../../testing/redis/server.ts';
import { lineOf, runRateTrial } from '../../harness/rate-trial.ts';
import type { Stage } from '../../harness/stage.ts';
import { perSecond, seriesOf, throttledShare } from '../../harness/timeline.ts';
import type { Caller } from './callers.ts';
import { APART, apiSettings, CEILING, type Kind, LIMIT, type Span, stepsOf, WORKERS } from './kinds.ts';
import { allowed, type Had } from './virtual.ts';

export interface Measured extends Had {
  /** Accepted calls in each second from the first call. */
  readonly accepted: readonly number[];
}

/**
 * Number of messages for a worker of a fleet, as a share of all that the limit allows: without Redis, one may get
 * nearly all.
 */
const SHARE = 1;
const SHARE_ON_REDIS = 0.3;
/** In addition, what the first workers get before the others have started. */
const AT_FIRST = CEILING * APART * (WORKERS - 1);

/** @throws Error if a queue was empty too soon, so that the figures would be meaningless. */
export async function measure(stage: Stage, caller: Caller, kind: Kind, span: Span): Promise<Measured> {
  const redis = caller.redis ? await startRedis() : undefined;
  try {
    return await play(stage, caller, kind, span, redis?.url ?? '');
  } finally {
    await redis?.kill();
  }
}

async function play(
  stage: Stage,
  caller: Caller,
  kind: Kind,
  span: Span,
  redisUrl: string,
): Promise<Measured> {
  const share = caller.redis ? SHARE_ON_REDIS : SHARE;
  const messages = AT_FIRST + Math.ceil(LIMIT * span.to * (caller.isFleet ? share : 1));
  const prefixes = Array.from(
    { length: caller.isFleet ? WORKERS : 1 },
    (_, i) => `worker${'abcd'[i] ?? ''}x`,
  );
  const { timeline, zero } = await runRateTrial(stage, {
    api: apiSettings(kind),
    callers: prefixes.map((prefix, i) => ({
      contender: caller.contender(redisUrl),
      prefix,
      messages,
      atSecond: i * APART,
    })),
    seconds: span.to + 0.5,
    steps: stepsOf(kind, span).map(({ atSecond, factor }) => ({ atSecond, limitPerSecond: LIMIT * factor })),
  });
  const [from, to] = [zero + span.from, zero + span.to];
  const all = seriesOf(timeline);
  const each = prefixes.map((prefix) => seriesOf(timeline, [prefix]).accepted);
  const taken = each.map((accepted) => perSecond(accepted, 0, to) * to);
  if (Math.max(...taken) >= 0.99 * messages)
    throw new Error(
      `a queue of ${messages} was empty too soon: ${taken.map((calls) => calls.toFixed(0)).join(', ')}`,
    );
  return {
    goodput: (perSecond(all.accepted, from, to) * (to - from)) / allowed(kind, span),
    throttled: throttledShare(all, from, to),
    jain: caller.isFleet ? jain(each.map((accepted) => perSecond(accepted, from, to))) : undefined,
    accepted: lineOf('', all.accepted, zero, span.to).points.map(({ value }) => value),
  };
}
