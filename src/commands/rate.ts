/** The rate of a worker, from what an earlier one found. */
import type { Config } from '../config.ts';
import { describeError } from '../observe/errors.ts';
import { writeLine } from '../observe/log-events.ts';
import { logLines } from '../observe/log-lines.ts';
import type { Logger } from '../observe/logger.ts';
import { AdaptiveRate } from '../ota/rate/adaptive-rate.ts';
import { type RateMemory, type Recalled, recall } from '../ota/rate/memory.ts';
import { RateFile } from '../ota/rate/memory-file.ts';
import { FixedRate, type RateControl } from '../ota/rate/rate-control.ts';
import { RateKeeper } from '../ota/rate/rate-keeper.ts';
import { roughDuration } from '../text/times.ts';
import type { Clock } from '../time/clock.ts';

/** Where a rate is kept, and what was found there. */
export interface RateKept {
  readonly memory: RateMemory;
  readonly recalled: Recalled;
}

/**
 * Reads what an earlier worker found, and logs why that is not used. Never rejects.
 * @param folder `STATE_DIR`, from the root.
 * @returns undefined where the rate does not adapt, so that nothing is found.
 */
export async function recallRate(
  config: Pick<Config, 'rateAdaptive' | 'queueUrl'>,
  env: Readonly<Record<string, string | undefined>>,
  folder: string,
  now: number,
  log: Logger,
): Promise<RateKept | undefined> {
  if (!config.rateAdaptive) return undefined;
  const memory = new RateFile(folder, env, config.queueUrl);
  const recalled = await recall(memory, now);
  logUnused(log, memory.path, recalled);
  return { memory, recalled };
}

export interface RateOptions {
  readonly config: Pick<Config, 'rateAdaptive' | 'rateLimit'>;
  /** undefined: the start is at `RATE_LIMIT`, and nothing is kept. */
  readonly kept: RateKept | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called with every change, and at once where the start is below `RATE_LIMIT`. */
  readonly onRate: (perSecond: number) => void;
}

/** The rate of a worker, and what keeps it for the next one. */
export function createRate(options: RateOptions): {
  readonly rate: RateControl;
  readonly keeper: RateKeeper | undefined;
} {
  const { config, kept, clock, log } = options;
  const { rateLimit: ceiling } = config;
  if (!config.rateAdaptive) return { rate: new FixedRate(ceiling), keeper: undefined };
  const rate = createAdaptiveRate(options);
  if (kept === undefined) return { rate, keeper: undefined };
  const keeper = new RateKeeper({
    memory: kept.memory,
    rate,
    begunAt: rate.rate < ceiling ? rate.rate : undefined,
    now: clock.wall,
    onFault: (error) => writeLine(log, logLines.rateNotKept, () => ({ error: describeError(error) })),
  });
  return { rate, keeper };
}

function createAdaptiveRate({ config, kept, clock, log, onRate }: RateOptions): AdaptiveRate {
  const { rateLimit: ceiling } = config;
  if (kept?.recalled.use !== 'rate') return new AdaptiveRate({ ceiling, onChange: onRate });
  const { perSecond, ageMs } = kept.recalled;
  const startFoundAt = clock.monotonic() - ageMs;
  const rate = new AdaptiveRate({ ceiling, onChange: onRate, startAt: perSecond, startFoundAt });
  if (rate.rate < ceiling) {
    onRate(rate.rate);
    writeLine(log, logLines.rateRemembered, () => ({
      rate: rate.rate,
      remembered: perSecond,
      age: roughDuration(ageMs / 1_000),
    }));
  }
  return rate;
}

function logUnused(log: Logger, file: string, recalled: Recalled): void {
  if (recalled.use === 'rate') return;
  const { tooOldMs, fault } = recalled;
  if (tooOldMs !== undefined)
    writeLine(log, logLines.rateTooOld, () => ({ file, age: roughDuration(tooOldMs / 1_000) }));
  else if (fault !== undefined)
    writeLine(log, logLines.rateForgotten, () => ({ file, error: describeError(fault) }));
}
