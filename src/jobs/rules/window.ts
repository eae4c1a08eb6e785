/** How many rows of all jobs may be in flight together, and of one of them. PURE. */
import { DEFAULT_PRIORITY, type JobSettings } from './settings.ts';

/**
 * What ends in so many seconds: at a steady rate an update that another system sends meanwhile waits so much longer, at most. Where
 * the rate falls, what is on the queue takes as many times longer. Fewer would make jobs slow whose rows take long to end.
 */
export const WINDOW_SECONDS = 4;
/**
 * Where rows take long from sending to their seen end without a wait on the queue, so many times what ends meanwhile: they are with
 * workers or on their way, where they keep nobody waiting, and with fewer the rate would fall.
 */
const PIPE_GAIN = 1.25;
/**
 * Of that time so many seconds count, as rows of others that wait on the queue make it look longer than it is: others never wait more
 * than 10 s longer.
 */
const LONGEST_PIPE_SECONDS = 8;
/** At low rates: so many rows may be in flight as long as they end in {@link LONGEST_SECONDS}, so that slow calls are made side by side. */
export const FEW_ROWS = 100;
export const LONGEST_SECONDS = 10;
/** At whatever rate: with fewer, a rate could not be measured before it had been found. */
export const LEAST_WINDOW = 20;
/** Of the window: with so much of it workers are busy still. */
const LEAST_PART = 0.5;

/** What a job can take of what may be in flight. */
export interface Claim {
  readonly priority: number;
  /** Rows that it can have in flight, whatever others leave: by its window, rules, ramp, stage, and what is left of it. */
  readonly most: number;
  /** Rows that it sends per second at most. */
  readonly rate?: number | undefined;
}

export function claimOf({ priority = DEFAULT_PRIORITY, rate }: JobSettings, most: number): Claim {
  return { priority, most, rate };
}

/** The jobs that are being sent beside one. */
export interface Beside {
  /** Of those that have rows to send now. */
  readonly others: readonly Claim[];
  /** Rows in flight of those that have none. */
  readonly restInFlight: number;
}

/**
 * Weighted, and nothing is left unused: what a job cannot take goes to the others by their priorities. By Little's law rows end in
 * the proportion in which they are in flight. So where a job may have few in flight, all have fewer, as long as workers are busy:
 * it keeps its share of the ends that way.
 * @param perSecond rows of all jobs that end per second. @param roundTripMs the shortest time from their sending to their seen end.
 * @returns rows of the job that may be in flight as far as the others go, 1 at least.
 */
export function windowOf(
  perSecond: number,
  own: Claim,
  { others, restInFlight }: Beside,
  roundTripMs = 0,
): number {
  const claims = [own, ...others];
  const ample = rowsOf(perSecond, roundTripMs / 1_000);
  const sum = prioritiesOf(claims);
  // Alone it has no share to keep.
  const proportionate =
    others.length === 0 ? ample : Math.min(...claims.map(({ most, priority }) => (most * sum) / priority));
  const wanted = Math.min(ample, Math.max(LEAST_WINDOW, ample * LEAST_PART, proportionate));
  const all = inWholeShares(wanted - restInFlight, claims);
  // A row takes so long to end; no more of a job are in flight than it sends meanwhile.
  const seconds = perSecond === 0 ? Number.POSITIVE_INFINITY : wanted / perSecond;
  const mosts = claims.map(({ priority, most, rate }, i) => ({
    priority,
    // Its own limits are kept elsewhere.
    most: i === 0 ? Number.POSITIVE_INFINITY : Math.min(most, (rate ?? Number.POSITIVE_INFINITY) * seconds),
  }));
  return Math.max(1, Math.round(firstOf(mosts, all)));
}

/** Rows of all jobs together. */
function rowsOf(perSecond: number, roundTripSeconds: number): number {
  const seconds = Math.max(WINDOW_SECONDS, PIPE_GAIN * Math.min(LONGEST_PIPE_SECONDS, roundTripSeconds));
  const few = Math.min(FEW_ROWS, perSecond * LONGEST_SECONDS);
  return Math.ceil(Math.max(LEAST_WINDOW, few, perSecond * seconds));
}

/** Water-filling: each has a part by its priority, or what it can take where that is less. @returns the first one's. */
function firstOf(claims: readonly Claim[], all: number): number {
  const [first] = claims;
  if (first === undefined) return 0;
  const sum = prioritiesOf(claims);
  const isFull = ({ priority, most }: Claim): boolean => most <= (all * priority) / sum;
  const open = claims.filter((claim) => !isFull(claim));
  if (open.length === claims.length) return (all * first.priority) / sum;
  return firstOf(
    open,
    claims.filter(isFull).reduce((left, { most }) => left - most, all),
  );
}

/** A little less, where parts of few rows would else be rounded far away from the priorities. */
function inWholeShares(rows: number, claims: readonly Claim[]): number {
  const unit = prioritiesOf(claims) / claims.map(({ priority }) => priority).reduce(commonDivisor);
  return unit > rows ? rows : rows - (rows % unit);
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

function prioritiesOf(claims: readonly Claim[]): number {
  return claims.reduce((sum, { priority }) => sum + priority, 0);
}
