/** How fast a worker calls: builds the limiter, the rate control and the parts shared with other workers. */
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
  /** Whether Redis is available for the shared limit; called once per change. `reason` is the error. */
  readonly onShared: (shared: boolean, reason?: unknown) => void;
  /**
   * From now on this worker finds the rate for the fleet, or follows the one that does; `rate` in calls per
   * second.
   */
  readonly onFleet: (role: 'leading' | 'following', rate: number) => void;
  /** The rate found stays below half of what is possible, or no longer does; both in calls per second. */
  readonly onLow: (low: boolean, found: number, part: number) => void;
  /** How long the rate stays low before that is reported, in milliseconds; default: a minute. */
  readonly lowRateAfterMs?: number | undefined;
}

export interface Pace {
  readonly limiter: RateLimiter;
  readonly rate: RateControl;
  /** undefined: the rate that is found is not stored. */
  readonly keeper: RateKeeper | undefined;
  /** Sets the configured rate; `Infinity` for none. */
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
    // The budget enforces a shared rate: every worker asks it for permits.
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
