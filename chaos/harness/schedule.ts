/**
 * The events of a run (kills, restarts, cuts, clock steps, shortages of file descriptors): drawn from a seed, timed by the
 * share of the work that is done. PURE.
 */

export type Happening =
  | { readonly at: number; readonly what: 'kill' | 'stop'; readonly worker: number; readonly awayMs: number }
  | {
      readonly at: number;
      readonly what: 'cut';
      readonly of: 'sqs' | 'api' | 'redis' | 'all';
      readonly ms: number;
    }
  /** The wall clock of a worker jumps. */
  | { readonly at: number; readonly what: 'clock'; readonly worker: number; readonly byMs: number }
  /** A worker gets no file descriptor more, so that it cannot connect. */
  | { readonly at: number; readonly what: 'descriptors'; readonly worker: number; readonly ms: number };

export interface ScheduleOptions {
  readonly kills: number;
  readonly stops: number;
  readonly cuts: number;
  readonly clockSteps: number;
  readonly shortages: number;
  readonly workers: number;
  readonly redis: boolean;
  /** The longest cut or shortage, in milliseconds. */
  readonly cutMs: number;
  readonly random: () => number;
}

/** How far a clock jumps, each in its turn: back by an hour (a resumed machine), ahead by seconds (NTP), and so on. */
const clockStepsMs = [-3_600_000, 5_000, 3_600_000, -20_000] as const;

/** The events in order; `at` is the share of the updates that have left the queue by then. */
export function drawSchedule(options: ScheduleOptions): Happening[] {
  const { workers, redis, cutMs, random } = options;
  const at = (): number => 0.05 + random() * 0.85;
  const someWorker = (): number => Math.floor(random() * workers);
  const lastMs = (): number => 500 + random() * (cutMs - 500);
  const end = (what: 'kill' | 'stop'): Happening => ({
    at: at(),
    what,
    worker: someWorker(),
    awayMs: random() * 1_500,
  });
  const targets = ['sqs', 'api', 'all', ...(redis ? (['redis'] as const) : [])] as const;
  const cut = (i: number): Happening => ({
    at: at(),
    what: 'cut',
    of: targets[i % targets.length] ?? 'all',
    ms: lastMs(),
  });
  const step = (i: number): Happening => ({
    at: at(),
    what: 'clock',
    worker: someWorker(),
    byMs: clockStepsMs[i % clockStepsMs.length] ?? 0,
  });
  const shortage = (): Happening => ({ at: at(), what: 'descriptors', worker: someWorker(), ms: lastMs() });
  return [
    ...several(options.kills, () => end('kill')),
    ...several(options.stops, () => end('stop')),
    ...several(options.cuts, cut),
    ...several(options.clockSteps, step),
    ...several(options.shortages, shortage),
  ].sort((a, b) => a.at - b.at);
}

function several<T>(count: number, draw: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => draw(i));
}
