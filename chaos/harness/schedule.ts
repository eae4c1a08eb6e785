/**
 * The events of a run: kills, restarts, cuts, clock steps, shortages of file descriptors; for bulk jobs also frozen senders,
 * stops of the ledger's server, and shell commands. They are drawn from a seed, and timed by the share of the work that is done.
 * PURE.
 */

/** What can be cut off; `all`: SQS, the API, Redis and the ledger at once. `outcomes`: only the outcome queue of SQS. */
export type CutTarget = 'sqs' | 'api' | 'redis' | 'outcomes' | 'ledger' | 'all';

/** What a person types meanwhile; `pause` and `stop` are followed by a `resume`. */
export type SteerCommand = 'pause' | 'stop' | 'set';

export type Happening =
  | { readonly at: number; readonly what: 'kill' | 'stop'; readonly worker: number; readonly awayMs: number }
  | { readonly at: number; readonly what: 'cut'; readonly of: CutTarget; readonly ms: number }
  /** The wall clock of a worker jumps. */
  | { readonly at: number; readonly what: 'clock'; readonly worker: number; readonly byMs: number }
  /** A worker gets no more file descriptors, so that it cannot connect. */
  | { readonly at: number; readonly what: 'descriptors'; readonly worker: number; readonly ms: number }
  /** A process is frozen: SIGSTOP, and SIGCONT after `ms`. */
  | { readonly at: number; readonly what: 'freeze'; readonly worker: number; readonly ms: number }
  /** The ledger's server is ended, as by an operator or by a crash, and started again after `ms`. */
  | { readonly at: number; readonly what: 'ledger'; readonly how: 'stop' | 'kill'; readonly ms: number }
  /** A shell command; `ms` later a paused or stopped job is resumed. */
  | { readonly at: number; readonly what: 'steer'; readonly command: SteerCommand; readonly ms: number };

export interface ScheduleOptions {
  readonly kills: number;
  readonly stops: number;
  readonly cuts: number;
  readonly clockSteps: number;
  readonly shortages: number;
  /** Number of processes, including the senders of jobs, which come last. */
  readonly workers: number;
  readonly cutTargets: readonly CutTarget[];
  /** Events for bulk jobs; undefined: there are none. */
  readonly jobs?: JobSchedule;
  /** Maximum length of a cut or shortage, in milliseconds. */
  readonly cutMs: number;
  readonly random: () => number;
}

interface JobSchedule {
  readonly senders: number;
  readonly freezes: number;
  /** Maximum length, in milliseconds. */
  readonly freezeMs: number;
  /** How often the ledger's server is ended. */
  readonly ledgerEnds: number;
  readonly steers: number;
}

const steerCommands: readonly SteerCommand[] = ['pause', 'set', 'stop'];

/** How far a clock jumps, in rotation: back by an hour (a resumed machine), ahead by seconds (NTP), and so on. */
const clockStepsMs = [-3_600_000, 5_000, 3_600_000, -20_000] as const;

/** The events in order; `at` is the share of the updates that have left the queue by then. */
export function drawSchedule(options: ScheduleOptions): Happening[] {
  const { workers, cutTargets, cutMs, random, jobs } = options;
  const { senders = 0, freezes = 0, freezeMs = 0, ledgerEnds = 0, steers = 0 } = jobs ?? {};
  const at = (): number => 0.05 + random() * 0.85;
  const someWorker = (): number => Math.floor(random() * workers);
  const lastMs = (): number => 500 + random() * (cutMs - 500);
  const someSender = (): number => workers - 1 - Math.floor(random() * senders);
  const end = (what: 'kill' | 'stop', i: number): Happening => ({
    at: at(),
    what,
    // Every second one is a sender, if there are any.
    worker: senders > 0 && i % 2 === 0 ? someSender() : someWorker(),
    awayMs: random() * 1_500,
  });
  const cut = (i: number): Happening => ({
    at: at(),
    what: 'cut',
    of: cutTargets[i % cutTargets.length] ?? 'all',
    ms: lastMs(),
  });
  const step = (i: number): Happening => ({
    at: at(),
    what: 'clock',
    worker: someWorker(),
    byMs: clockStepsMs[i % clockStepsMs.length] ?? 0,
  });
  const shortage = (): Happening => ({ at: at(), what: 'descriptors', worker: someWorker(), ms: lastMs() });
  const freeze = (): Happening => ({
    at: at(),
    what: 'freeze',
    worker: someSender(),
    ms: freezeMs * (0.5 + random() / 2),
  });
  const ledgerEnd = (i: number): Happening => ({
    at: at(),
    what: 'ledger',
    how: i % 2 === 0 ? 'stop' : 'kill',
    ms: lastMs(),
  });
  const steer = (i: number): Happening => ({
    at: at(),
    what: 'steer',
    command: steerCommands[i % steerCommands.length] ?? 'set',
    ms: lastMs(),
  });
  return [
    ...several(options.kills, (i) => end('kill', i)),
    ...several(options.stops, (i) => end('stop', i)),
    ...several(options.cuts, cut),
    ...several(options.clockSteps, step),
    ...several(options.shortages, shortage),
    ...several(freezes, freeze),
    ...several(ledgerEnds, ledgerEnd),
    ...several(steers, steer),
  ].sort((a, b) => a.at - b.at);
}

function several<T>(count: number, draw: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => draw(i));
}
