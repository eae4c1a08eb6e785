/** How fast a worker calls: limiter, rate control and what they share with others, from the configuration. */
import { randomUUID } from 'node:crypto';
import type { Config } from '../config.ts';
import { BudgetLink } from '../ota/rate/budget-link.ts';
import { LocalRateLimiter, type RateLimiter } from '../ota/rate/limiter.ts';
import { LimiterOnceLimited } from '../ota/rate/limiter-once-limited.ts';
import { RedisRateLimiter } from '../ota/rate/limiter-redis.ts';
import { LowRate } from '../ota/rate/low-rate.ts';
import type { FleetRole, RateControl } from '../ota/rate/rate-control.ts';
import type { RateKeeper } from '../ota/rate/rate-keeper.ts';
import { createRate, type RateOptions } from './rate.ts';

export interface PaceOptions extends Pick<RateOptions, 'kept' | 'clock' | 'log'> {
  readonly config: Pick<Config, 'redisUrl' | 'rateLimit' | 'rateAdaptive'>;
  /** Whether Redis is there for it; once per change. `reason` is the error. */
  readonly onShared: (shared: boolean, reason?: unknown) => void;
  /** This worker finds the rate for all from now on, or another one does; `rate` in calls per second. */
  readonly onFleet: (role: 'leading' | 'following', rate: number) => void;
  /** The rate found stays below half of what could be, or does not any more; in calls per second. */
  readonly onLow: (low: boolean, found: number, part: number) => void;
  /** How long it stays low before that is said, in milliseconds; default: a minute. */
  readonly lowRateAfterMs?: number | undefined;
}

export interface Pace {
  readonly limiter: RateLimiter;
  readonly rate: RateControl;
  /** undefined: nothing is kept of the rate that is found. */
  readonly keeper: RateKeeper | undefined;
  /** The configured rate is now this; `Infinity` for none. */
  readonly setCeiling: (perSecond: number) => void;
  readonly close: () => Promise<void>;
}

export function createPace({ onShared, onFleet, onLow, lowRateAfterMs, ...options }: PaceOptions): Pace {
  const { redisUrl: url, rateLimit, rateAdaptive } = options.config;
  const now = options.clock.monotonic;
  const link =
    url === undefined
      ? undefined
      : new BudgetLink({ url, workerId: randomUUID(), byFleet: rateAdaptive, now, onShared });
  const limiter = createLimiter(rateLimit, link, now);
  let role: FleetRole | undefined;
  const together = (): boolean => role === 'leading' || role === 'following';
  const lowRate = new LowRate({
    part: () => (together() ? limiter.ceiling : limiter.part),
    onLow,
    ...(lowRateAfterMs !== undefined && { afterMs: lowRateAfterMs }),
  });
  const onRate = (perSecond: number, fleet?: FleetRole): void => {
    const before = role;
    role = fleet;
    // What is shared is kept by the budget, which every worker asks for its permits.
    limiter.setRate(together() ? Number.POSITIVE_INFINITY : perSecond);
    lowRate.see(perSecond);
    if (fleet !== before && (fleet === 'leading' || fleet === 'following')) onFleet(fleet, perSecond);
  };
  const { rate, keeper } = createRate({ ...options, link, onRate });
  return {
    limiter,
    rate,
    keeper,
    setCeiling: (perSecond) => {
      limiter.setCeiling(perSecond);
      rate.setCeiling(perSecond);
      onRate(rate.rate, rate.fleet);
    },
    close: async () => {
      lowRate.close();
      await limiter.close();
    },
  };
}

function createLimiter(ceiling: number, link: BudgetLink | undefined, now: () => number): RateLimiter {
  if (link === undefined) return new LocalRateLimiter(ceiling, now);
  const share = (limit: number): RateLimiter => new RedisRateLimiter({ link, ceiling: limit, now });
  return Number.isFinite(ceiling) ? share(ceiling) : new LimiterOnceLimited({ share, now });
}
