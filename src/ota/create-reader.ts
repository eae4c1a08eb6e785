/** A reader of OTA tasks, made from the settings of a command. */
import type { Clock } from '../time/clock.ts';
import { AdaptiveRate } from './rate/adaptive-rate.ts';
import { LocalRateLimiter } from './rate/limiter.ts';
import { FixedRate } from './rate/rate-control.ts';
import { OtaReader, type OtaReaderOptions } from './reader.ts';

/** The settings for API calls (`apiSettings` of the configuration) that a reader uses. */
export interface ReaderSettings {
  /** The most calls per second; `Infinity` for no limit. */
  readonly rateLimit: number;
  readonly rateAdaptive: boolean;
  readonly maxConcurrency: number;
  readonly maxAttempts: number;
  readonly retryBaseMs: number;
  readonly retryMaxMs: number;
  readonly callTimeoutMs: number;
}

/** What a reader uses from the command's context. */
export interface ReaderSurroundings extends Pick<OtaReaderOptions, 'env' | 'random' | 'sleep' | 'onAway'> {
  readonly clock: Clock;
}

/** Reads at `RATE_LIMIT`, or more slowly if the API demands it (`RATE_ADAPTIVE`). */
export function createReader(
  config: ReaderSettings,
  { env, clock, random, sleep, onAway }: ReaderSurroundings,
  signal: AbortSignal,
): OtaReader {
  const limiter = new LocalRateLimiter(config.rateLimit);
  return new OtaReader({
    callTimeoutMs: config.callTimeoutMs,
    maxSockets: config.maxConcurrency,
    ...(env !== undefined && { env }),
    limiter,
    rate: config.rateAdaptive
      ? new AdaptiveRate({ ceiling: config.rateLimit, onChange: (rate) => limiter.setRate(rate) })
      : new FixedRate(config.rateLimit),
    retry: { baseMs: config.retryBaseMs, maxMs: config.retryMaxMs, maxAttempts: config.maxAttempts },
    clock,
    random,
    sleep,
    signal,
    ...(onAway !== undefined && { onAway }),
  });
}
