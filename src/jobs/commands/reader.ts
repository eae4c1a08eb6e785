/** A reader of OTA tasks from the environment: made when it is first used. */

import type { ApiConfig } from '../../config.ts';
import { AdaptiveRate } from '../../ota/rate/adaptive-rate.ts';
import { LocalRateLimiter } from '../../ota/rate/limiter.ts';
import { FixedRate } from '../../ota/rate/rate-control.ts';
import { OtaReader } from '../../ota/reader.ts';
import { systemClock } from '../../time/clock.ts';
import type { JobSurroundings } from './surroundings.ts';

/** Reads at `RATE_LIMIT`, or below it where the API wants that (`RATE_ADAPTIVE`). */
export function createReader(
  config: ApiConfig,
  { random, sleep }: JobSurroundings,
  signal: AbortSignal,
): OtaReader {
  const limiter = new LocalRateLimiter(config.rateLimit);
  return new OtaReader({
    callTimeoutMs: config.callTimeoutMs,
    maxSockets: config.maxConcurrency,
    limiter,
    rate: config.rateAdaptive
      ? new AdaptiveRate({ ceiling: config.rateLimit, onChange: (rate) => limiter.setRate(rate) })
      : new FixedRate(config.rateLimit),
    retry: { baseMs: config.retryBaseMs, maxMs: config.retryMaxMs, maxAttempts: config.maxAttempts },
    clock: systemClock,
    random,
    sleep,
    signal,
  });
}
