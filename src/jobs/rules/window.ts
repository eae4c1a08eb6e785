/** How many rows may be in flight, of all jobs together and of one of them. PURE. */
import { DEFAULT_PRIORITY, type JobSettings } from './settings.ts';

/**
 * The window holds the rows that end in this many seconds. At a steady rate, an update that another system sends meanwhile waits at most
 * this much longer; if the rate falls, proportionally longer. A smaller window would slow down jobs whose rows take long to end.
 */
export const WINDOW_SECONDS = 4;
/**
 * If rows take long from sending to their seen end even without waiting on the queue, the window is this many times what ends in that
 * time. Those rows are with workers or in transit, where they delay nobody, and with fewer rows the rate would fall.
 */
const PIPE_GAIN = 1.25;
/**
 * At most this much of that time counts, since rows of others that wait on the queue make it look longer than it is. Other updates never
 * wait more than 10 s longer.
 */
const LONGEST_PIPE_SECONDS = 8;
/** At low rates this many rows may be in flight if they end within {@link LONGEST_SECONDS}, so that slow calls run in parallel. */
export const FEW_ROWS = 100;
export const LONGEST_SECONDS = 10;
/** Minimum at any rate: with fewer rows, the rate could not be measured before it was found. */
export const LEAST_WINDOW = 20;
/** With this part of the window, workers are still busy. */
const LEAST_PART = 0.5;

/** What a job can use of the total in flight. */
export interface Claim {
  readonly priority: number;
  /** Rows that it can have in flight, whatever others leave: limited by its window, rules, ramp, stage and remaining rows. */
  readonly most: number;
  /** Maximum number of rows that it sends per second. */
  readonly rate?: number | undefined;
}

export function claimOf({ priority = DEFAULT_PRIORITY, rate }: JobSettings, most: number): Claim {
  return { priority, most, rate };
}

/** The other jobs that are being sent. */
export interface Beside {
  /** The claims of jobs that have rows to send now. */
  readonly others: readonly Claim[];
  /** Rows in flight of jobs that have no rows to send. */
  readonly restInFlight: number;
}

/**
 * Shares by priority, and leaves nothing unused: what a job cannot use goes to the others by their priorities. By Little's law, jobs'
 * rows end in proportion to their rows in flight. If one job may have only few in flight, all therefore have fewer, as long as workers
 * stay busy: the job thus keeps its share of the ends.
 * @param perSecond rows of all jobs that end per second. @param roundTripMs the shortest time from their sending to their seen end.
 * @returns rows of the job that may be in flight beside the others, at least 1.
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
  // Without other jobs there is no share to keep.
  const proportionate =
    others.length === 0 ? ample : Math.min(...claims.map(({ most, priority }) => (most * sum) / priority));
  const wanted = Math.min(ample, Math.max(LEAST_WINDOW, ample * LEAST_PART, proportionate));
  const all = inWholeShares(wanted - restInFlight, claims);
  // The time a row takes to end; no more rows of a job are in flight than it sends in that time.
  const seconds = perSecond === 0 ? Number.POSITIVE_INFINITY : wanted / perSecond;
  const mosts = claims.map(({ priority, most, rate }, i) => ({
    priority,
    // The job's own limits are applied elsewhere.
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

/** Water-filling: each claim gets its part by priority, or what it can use if that is less. @returns the first claim's part. */
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

/** Slightly fewer rows, where rounding small parts would distort the priorities. */
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
