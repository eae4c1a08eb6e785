/** The events of a run (kills, restarts and cuts): drawn from a seed, timed by the share of the work that is done. PURE. */

export type Happening =
  | { readonly at: number; readonly what: 'kill' | 'stop'; readonly worker: number; readonly awayMs: number }
  | {
      readonly at: number;
      readonly what: 'cut';
      readonly of: 'sqs' | 'api' | 'redis' | 'all';
      readonly ms: number;
    };

export interface ScheduleOptions {
  readonly kills: number;
  readonly stops: number;
  readonly cuts: number;
  readonly workers: number;
  readonly redis: boolean;
  /** The longest cut, in milliseconds. */
  readonly cutMs: number;
  readonly random: () => number;
}

/** The events in order; `at` is the share of the updates that have left the queue by then. */
export function drawSchedule(options: ScheduleOptions): Happening[] {
  const { kills, stops, cuts, workers, redis, cutMs, random } = options;
  const at = (): number => 0.05 + random() * 0.85;
  const end = (what: 'kill' | 'stop'): Happening => ({
    at: at(),
    what,
    worker: Math.floor(random() * workers),
    awayMs: random() * 1_500,
  });
  const targets = ['sqs', 'api', 'all', ...(redis ? (['redis'] as const) : [])] as const;
  const cut = (_: unknown, i: number): Happening => ({
    at: at(),
    what: 'cut',
    of: targets[i % targets.length] ?? 'all',
    ms: 500 + random() * (cutMs - 500),
  });
  return [
    ...Array.from({ length: kills }, () => end('kill')),
    ...Array.from({ length: stops }, () => end('stop')),
    ...Array.from({ length: cuts }, cut),
  ].sort((a, b) => a.at - b.at);
}
