/** Follows everything that may lower the bounds on calls while a worker runs. */
import { FleetLimitsStore } from '../ota/fleet-limits.ts';
import type { Bounds } from './bounds.ts';
import { FleetFollower } from './fleet.ts';
import { LimitsFile } from './limits-file.ts';

/** How long a worker waits for Redis's first answer before it begins to work, in milliseconds. */
const FIRST_WORD_MS = 1_000;

export interface FollowLimitsOptions {
  /** undefined: there is no file. */
  readonly file: string | undefined;
  readonly redisUrl: string | undefined;
  readonly bounds: Bounds;
  /** A source's settings cannot be understood; undefined: they can again. */
  readonly onFault: (source: 'file' | 'redis', fault: Error | undefined) => void;
  /** Resolves after `ms` milliseconds, or when the signal aborts; never rejects. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface LimitsFollowed {
  /** Resolves when the sources' current settings are in force, or could not be read in time. Must be called once. */
  readonly begin: () => Promise<void>;
  readonly close: () => void;
}

export function followLimits(options: FollowLimitsOptions): LimitsFollowed {
  const ended = new AbortController();
  return {
    begin: async () => {
      await Promise.all([followFile(options, ended.signal), followFleet(options, ended.signal)]);
    },
    close: () => ended.abort(),
  };
}

async function followFile(
  { file: path, bounds, onFault, sleep }: FollowLimitsOptions,
  ended: AbortSignal,
): Promise<void> {
  if (path === undefined) return;
  const file = new LimitsFile({
    path,
    say: (limits) => bounds.say('file', limits),
    onFault: (fault) => onFault('file', fault),
    sleep,
  });
  await file.begin();
  void file.follow(ended);
}

async function followFleet(
  { redisUrl, bounds, onFault, sleep }: FollowLimitsOptions,
  ended: AbortSignal,
): Promise<void> {
  if (redisUrl === undefined) return;
  const fleet = new FleetFollower({
    connect: () => FleetLimitsStore.connect(redisUrl),
    say: (limits) => bounds.say('redis', limits),
    onFault: (fault) => onFault('redis', fault),
    sleep,
  });
  const heard = new AbortController();
  void fleet.follow(ended, () => heard.abort());
  await sleep(FIRST_WORD_MS, AbortSignal.any([ended, heard.signal]));
}
