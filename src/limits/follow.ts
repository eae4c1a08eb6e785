/** Follows everything that may lower the bounds on calls while a worker runs. */
import type { Bounds } from './bounds.ts';
import { LimitsFile } from './limits-file.ts';

export interface FollowLimitsOptions {
  /** undefined: there is none. */
  readonly file: string | undefined;
  readonly redisUrl: string | undefined;
  readonly bounds: Bounds;
  /** What a source says cannot be understood; undefined: it can again. */
  readonly onFault: (source: 'file' | 'redis', fault: Error | undefined) => void;
  /** Resolves after so long, or when the signal aborts; never rejects. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface LimitsFollowed {
  /** Resolves when what the sources say now is in force, or cannot be found out soon. To be called once. */
  readonly begin: () => Promise<void>;
  readonly close: () => void;
}

export function followLimits({ file, bounds, onFault, sleep }: FollowLimitsOptions): LimitsFollowed {
  const ended = new AbortController();
  const limitsFile =
    file === undefined
      ? undefined
      : new LimitsFile({
          path: file,
          say: (limits) => bounds.say('file', limits),
          onFault: (fault) => onFault('file', fault),
          sleep,
        });
  return {
    begin: async () => {
      await limitsFile?.begin();
      void limitsFile?.follow(ended.signal);
    },
    close: () => ended.abort(),
  };
}
