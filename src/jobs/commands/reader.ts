/** A reader of OTA tasks with the command's configuration. */
import type { CommandContext } from '../../cli/context.ts';
import type { ApiConfig } from '../../config.ts';
import { AdaptiveRate } from '../../ota/rate/adaptive-rate.ts';
import { LocalRateLimiter } from '../../ota/rate/limiter.ts';
import { FixedRate } from '../../ota/rate/rate-control.ts';
import { OtaReader } from '../../ota/reader.ts';

/** Reads at `RATE_LIMIT`, or below it where the API wants that (`RATE_ADAPTIVE`). */
export function createReader(
  config: ApiConfig,
  { env, clock, random, sleep }: CommandContext,
  signal: AbortSignal,
): OtaReader {
  const limiter = new LocalRateLimiter(config.rateLimit);
  return new OtaReader({
    callTimeoutMs: config.callTimeoutMs,
    maxSockets: config.maxConcurrency,
    env,
    limiter,
    rate: config.rateAdaptive
      ? new AdaptiveRate({ ceiling: config.rateLimit, onChange: (rate) => limiter.setRate(rate) })
      : new FixedRate(config.rateLimit),
    retry: { baseMs: config.retryBaseMs, maxMs: config.retryMaxMs, maxAttempts: config.maxAttempts },
    clock,
    random,
    sleep,
    signal,
  });
}
