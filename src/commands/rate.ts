/** The rate of a worker, starting from what an earlier worker found. */
import type { Config } from '../config.ts';
import { describeError } from '../observe/errors.ts';
import { writeLine } from '../observe/log-events.ts';
import { logLines } from '../observe/log-lines.ts';
import type { Logger } from '../observe/logger.ts';
import { AdaptiveRate } from '../ota/rate/adaptive-rate.ts';
import type { BudgetLink } from '../ota/rate/budget-link.ts';
import { FleetRate, fleetControl } from '../ota/rate/fleet/fleet-rate.ts';
import type { Start } from '../ota/rate/fleet/member.ts';
import { type RateMemory, type Recalled, recall } from '../ota/rate/memory.ts';
import { RateFile } from '../ota/rate/memory-file.ts';
import { FixedRate, type FleetRole, type RateControl } from '../ota/rate/rate-control.ts';
import { RateKeeper } from '../ota/rate/rate-keeper.ts';
import { roughDuration } from '../text/times.ts';
import type { Clock } from '../time/clock.ts';

/** Where a rate is stored, and the rate that was found there. */
export interface RateKept {
  readonly memory: RateMemory;
  readonly recalled: Recalled;
}

/**
 * Reads the rate that an earlier worker found, and logs why it is not used, if so. Never rejects.
 * @param folder the absolute path of `STATE_DIR`.
 * @returns undefined if the rate is not adaptive, so that there is none to find.
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
  /** undefined: the rate starts at `RATE_LIMIT` and is not stored. */
  readonly kept: RateKept | undefined;
  /** The link to a fleet that shares one rate; undefined: there is no fleet. */
  readonly link?: BudgetLink | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /**
   * Called on every change, and immediately if the start is below `RATE_LIMIT`.
   * @param fleet this worker's role in its fleet; undefined: there is no fleet.
   */
  readonly onRate: (perSecond: number, fleet?: FleetRole) => void;
}

/** The rate of a worker, and the keeper that stores it for the next worker. */
export function createRate(options: RateOptions): {
  readonly rate: RateControl;
  readonly keeper: RateKeeper | undefined;
} {
  const { config, kept, clock, log } = options;
  const { rateLimit: ceiling } = config;
  if (!config.rateAdaptive) return { rate: new FixedRate(ceiling), keeper: undefined };
  const begin = startOf(options);
  const { rate, own } = createAdaptive(options, begin);
  if (kept === undefined) return { rate, keeper: undefined };
  const keeper = new RateKeeper({
    memory: kept.memory,
    rate: own,
    begunAt: rate.rate < ceiling ? rate.rate : undefined,
    now: clock.wall,
    onFault: (error) => writeLine(log, logLines.rateNotKept, () => ({ error: describeError(error) })),
  });
  return { rate, keeper };
}

/** The rate in force, and the rate that this worker found itself. */
interface Adaptive {
  readonly rate: RateControl;
  readonly own: Pick<RateControl, 'rate' | 'foundAt'>;
}

function createAdaptive(options: RateOptions, begin: Start): Adaptive {
  const { link, clock, onRate } = options;
  const control = (start: Start, onChange: (perSecond: number) => void): AdaptiveRate =>
    new AdaptiveRate({
      ...start,
      onChange,
      wallAheadMs: () => clock.wall() - clock.monotonic(),
      ...(link === undefined ? {} : fleetControl),
    });
  if (link === undefined) {
    const rate = control(begin, (perSecond) => onRate(perSecond));
    tellStart(options, rate.rate);
    return { rate, own: rate };
  }
  const rate = new FleetRate({
    begin,
    link,
    control,
    now: clock.monotonic,
    onChange: onRate,
  });
  tellStart(options, rate.rate);
  return { rate, own: rate.own };
}

function startOf({ config, kept, clock }: RateOptions): Start {
  const { rateLimit: ceiling } = config;
  if (kept?.recalled.use !== 'rate') return { ceiling };
  const { perSecond, ageMs } = kept.recalled;
  return { ceiling, startAt: perSecond, startFoundAt: clock.monotonic() - ageMs };
}

function tellStart({ config, kept, log, onRate }: RateOptions, rate: number): void {
  if (kept?.recalled.use !== 'rate' || rate >= config.rateLimit) return;
  const { perSecond, ageMs } = kept.recalled;
  onRate(rate);
  writeLine(log, logLines.rateRemembered, () => ({
    rate,
    remembered: perSecond,
    age: roughDuration(ageMs / 1_000),
  }));
}

function logUnused(log: Logger, file: string, recalled: Recalled): void {
  if (recalled.use === 'rate') return;
  const { tooOldMs, fault } = recalled;
  if (tooOldMs !== undefined)
    writeLine(log, logLines.rateTooOld, () => ({ file, age: roughDuration(tooOldMs / 1_000) }));
  else if (fault !== undefined)
    writeLine(log, logLines.rateForgotten, () => ({ file, error: describeError(fault) }));
}
